// Packing by hand: a scan at a time goes to the server; what it answers is told by colour, sound and vibration.
const hand = document.getElementById("hand");
const say = hand.dataset;
const part = (id) => document.getElementById(id);
const field = part("code");
let parent = null;
let packed = [];
let busy = Promise.resolve();
let seen = { text: "", at: 0 };

let speaker = null;
const beep = (tones) => {
  try {
    speaker ??= new AudioContext();
    tones.forEach(([pitch, seconds], place) => {
      const tone = speaker.createOscillator();
      const volume = speaker.createGain();
      const start = speaker.currentTime + place * 0.13;
      tone.frequency.value = pitch;
      volume.gain.value = 0.15;
      tone.connect(volume).connect(speaker.destination);
      tone.start(start);
      tone.stop(start + seconds);
    });
  } catch { /* a device without sound */ }
};
const tell = (tone, text, unit = "") => {
  part("state").dataset.tone = tone;
  part("move").hidden = true;
  part("text").textContent = text;
  part("unit").textContent = unit;
  if (tone === "bad") { beep([[220, 0.3], [180, 0.3]]); navigator.vibrate?.([200, 80, 200]); }
  if (tone === "good") { beep([[880, 0.1]]); navigator.vibrate?.(40); }
  if (tone === "full") { beep([[880, 0.1], [1175, 0.15]]); navigator.vibrate?.([40, 40, 40]); }
};
const show = (answer) => {
  part("count").textContent = answer.capacity ? `${answer.count} / ${answer.capacity}` : String(answer.count);
  part("undo").disabled = !packed.length;
  part("close").disabled = !parent || !answer.count;
  part("list").replaceChildren(...packed.slice(-20).reverse().map((item) => {
    const line = document.createElement("li");
    const place = document.createElement("small");
    line.textContent = `${item.text} `;
    place.textContent = item.name;
    line.append(place);
    return line;
  }));
};
// The same question as everywhere in the console; it is asked by a button that nobody sees.
const anyway = part("anyway");
const ask = (words, label, work) => {
  anyway.dataset.confirm = words;
  anyway.dataset.confirmLabel = label;
  anyway.onclick = () => queue(work);
  anyway.click();
};
const send = async (verb, fields) => {
  const body = new URLSearchParams({ ...fields, csrf_token: say.token });
  try {
    const answer = await fetch(say.url.replace(/open$/, verb), { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    part("offline").hidden = true;
    return await answer.json();
  } catch {
    part("offline").hidden = false;
    return { ok: false, text: say.offline };
  }
};
const open = async (code) => {
  const answer = await send("open", { parent: code, capacity: part("capacity").value.trim() });
  if (!answer.ok) return tell("bad", answer.text);
  parent = code;
  packed = [];
  if (answer.capacity) part("capacity").value = answer.capacity;
  part("parent").textContent = answer.printed;
  tell("good", say.opened, answer.name);
  show(answer);
};
const add = async (code, move = "") => {
  const answer = await send("add", { parent, code, move });
  if (!answer.ok) {
    tell("bad", answer.text);
    // No dialog here: a scanner that goes on typing would answer it.
    part("move").hidden = answer.code !== "already_packed";
    part("move").onclick = () => queue(() => add(code, "1"));
    return;
  }
  packed.push({ code, name: answer.name, text: answer.printed });
  const full = answer.capacity && answer.count >= answer.capacity;
  tell(full ? "full" : "good", full ? say.full : say.packed, answer.name);
  show(answer);
};
const undo = async () => {
  const last = packed.at(-1);
  if (!last) return;
  const answer = await send("undo", { parent, code: last.code });
  if (!answer.ok) return tell("bad", answer.text);
  packed.pop();
  tell("wait", say.undone, last.name);
  show(answer);
};
const close = async (differs = "") => {
  if (!parent) return;
  const answer = await send("close", { parent, differs });
  if (!answer.ok) {
    tell("bad", answer.text);
    if (answer.code === "wrong_count") ask(`${answer.text} ${say.differs}`, say.yesClose, () => close("1"));
    return;
  }
  part("parent").textContent = "";
  parent = null;
  packed = [];
  show({ count: "–" });
  part("close").disabled = true;
  tell("full", say.closed, answer.name);
};
// One after the other, in the order of the scans.
const queue = (work) => { busy = busy.then(work); return busy; };
const scanned = (text) => {
  const code = text.trim();
  if (code) queue(() => (parent ? add(code) : open(code)));
};

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  scanned(field.value);
  field.value = "";
});
part("undo").addEventListener("click", () => queue(undo));
part("close").addEventListener("click", () => queue(() => close()));
part("keys").addEventListener("click", () => { field.inputMode = "text"; field.blur(); field.focus(); });
// A wedge scanner types wherever the cursor is: keep it in the field.
document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(at?.tagName ?? "")) field.focus();
});
addEventListener("offline", () => { part("offline").hidden = false; });
addEventListener("online", () => { part("offline").hidden = true; });
if (!navigator.onLine) part("offline").hidden = false;

part("camera").addEventListener("click", async () => {
  try {
    const { watch } = await import(say.camera);
    await watch(part("video"), say, (text) => {
      const now = Date.now();
      // The same symbol stays before the camera for many pictures.
      if (text === seen.text && now - seen.at < 2500) { seen.at = now; return; }
      seen = { text, at: now };
      scanned(text);
    });
  } catch {
    tell("bad", say.cameraOff);
  }
});
