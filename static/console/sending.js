// Sends a form with large files by script, with a bar that says how far it is. Small files, and browsers without
// scripts, send the form as ever: the server cannot tell the two apart but for one header.
const LARGE = 1 << 20;
const size = (bytes) => {
  const units = ["B", "kB", "MB", "GB"];
  let place = 0;
  for (; bytes >= 1000 && place < 3; place += 1) bytes /= 1000;
  return `${bytes.toFixed(place > 1 ? 1 : 0)} ${units[place]}`;
};

const chosen = (form) => [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);

const release = (form) => {
  delete form.dataset.sent;
  form.querySelectorAll(".btn-loading").forEach((button) => button.classList.remove("btn-loading"));
};

// The server's answer to what it refused, as if the browser had gone there itself.
const show = (html) => { document.open(); document.write(html); document.close(); };

const send = (form, box) => {
  const [bar, words, stop] = ["progress", ".meter__text", "button"].map((name) => box.querySelector(name));
  const call = new XMLHttpRequest();
  const began = performance.now();
  const leave = (event) => { event.preventDefault(); event.returnValue = box.dataset.leave; };
  const over = () => { removeEventListener("beforeunload", leave); delete form.dataset.sending; };
  const fail = (sentence) => { over(); release(form); bar.hidden = stop.hidden = true; words.textContent = sentence; };

  form.dataset.sending = "1";
  box.hidden = bar.hidden = stop.hidden = false;
  addEventListener("beforeunload", leave);
  stop.onclick = () => call.abort();
  call.upload.onprogress = ({ loaded, total }) => {
    const seconds = Math.max((performance.now() - began) / 1000, 0.1);
    const facts = { done: size(loaded), total: size(total), rate: size(loaded / seconds) };
    bar.value = loaded / total;
    words.textContent = box.dataset.words.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  };
  call.upload.onload = () => { words.textContent = box.dataset.takingIn; stop.hidden = true; };
  call.onload = () => {
    over();
    const way = call.getResponseHeader("X-Way-On");
    if (way) location.assign(way); else show(call.responseText);
  };
  call.onerror = () => fail(box.dataset.broken);
  call.onabort = () => { over(); release(form); box.hidden = true; };
  call.open("POST", form.action);
  call.setRequestHeader("X-Sending", "1");
  call.send(new FormData(form));
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  const box = form.querySelector(".sending");
  if (!box) return;
  if (form.dataset.sending) { event.preventDefault(); return; }
  if (event.defaultPrevented || chosen(form).reduce((sum, file) => sum + file.size, 0) < LARGE) return;
  event.preventDefault();
  send(form, box);
});
