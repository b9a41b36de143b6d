// Makes the consumer's pages pleasanter; each of them works without it. Double presses, countdowns, copying, polling.
(() => {
  "use strict";
  const POLLS_MAX = 40;

  const release = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll(".is-busy")) {
      button.classList.remove("is-busy");
      button.removeAttribute("aria-busy");
    }
  };

  // The second press of a form is dropped; the first shows that it is under way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (event.defaultPrevented || "resubmit" in form.dataset) return;
    form.dataset.sent = "1";
    const button = event.submitter || form.querySelector("[type=submit]");
    if (button) { button.classList.add("is-busy"); button.setAttribute("aria-busy", "true"); }
    setTimeout(() => release(form), 20000);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
  });

  // <button data-countdown="60" data-countdown-text="Again in {s} s">
  const countDown = (button) => {
    const label = button.textContent;
    const end = Date.now() + 1000 * Number(button.dataset.countdown || 0);
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? button.dataset.countdownText.replace("{s}", left) : label;
      if (left > 0) setTimeout(tick, 500);
    };
    tick();
  };

  const say = (text) => {
    const region = document.createElement("div");
    region.className = "said";
    region.setAttribute("role", "status");
    document.body.append(region);
    setTimeout(() => { region.textContent = text; }, 50);
    setTimeout(() => region.remove(), 3000);
  };

  const copyText = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    const box = document.createElement("textarea");
    box.value = text;
    box.className = "said";
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    if (!done) throw new Error("not copied");
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || button.dataset.was) return;
    const words = button.querySelector("span") || button;
    try { await copyText(button.dataset.copy); } catch { return; }
    button.dataset.was = words.textContent;
    words.textContent = button.dataset.copied;
    say(button.dataset.copied);
    setTimeout(() => { words.textContent = button.dataset.was; delete button.dataset.was; }, 2000);
  });

  // <form data-where data-thanks="… {place}" data-off="…">: shares the place that the phone tells, once the person says so.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("where" in form.dataset)) return;
    event.preventDefault();
    const end = (text) => { form.replaceChildren(text); form.setAttribute("role", "status"); };
    navigator.geolocation.getCurrentPosition(async ({ coords }) => {
      const fields = new URLSearchParams(new FormData(form));
      fields.set("latitude", coords.latitude.toFixed(2));
      fields.set("longitude", coords.longitude.toFixed(2));
      try {
        const answer = await fetch(form.action, { method: "POST", body: fields, credentials: "same-origin" });
        const { name } = await answer.json();
        end(form.dataset.thanks.replace("{place}", name));
      } catch { end(form.dataset.off); }
    }, () => end(form.dataset.off), { timeout: 15000, maximumAge: 600000 });
  }, true);

  // <div data-poll="URL" data-poll-every="3">: its content is replaced by the fragment at URL. A fragment with a
  // data-poll element of its own takes over; one without ends the polling, as do 40 rounds.
  const poll = (element, round = 1) => {
    if (round > POLLS_MAX) return;
    const wait = 1000 * Number(element.dataset.pollEvery || 3) * (round > 20 ? 3 : 1);
    setTimeout(async () => {
      if (!element.isConnected) return;
      if (document.hidden) { poll(element, round); return; }
      try {
        const answer = await fetch(element.dataset.poll, { credentials: "same-origin", headers: { "X-Requested-With": "fetch" } });
        if (answer.status === 200) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const next = page.querySelector("[data-poll]");
          if (next) {
            if (element.innerHTML !== next.innerHTML) { element.innerHTML = next.innerHTML; prepare(element); }
            element.dataset.poll = next.dataset.poll;
          } else {
            delete element.dataset.poll;
            element.replaceChildren(...page.body.childNodes);
            prepare(element);
            return;
          }
        }
      } catch { /* offline for a moment: the next round asks again */ }
      poll(element, round + 1);
    }, wait);
  };

  const prepare = (root) => {
    root.querySelectorAll("[data-countdown]").forEach((button) => { if (Number(button.dataset.countdown) > 0) countDown(button); });
    if (navigator.geolocation && isSecureContext) root.querySelectorAll("[data-where]").forEach((form) => { form.hidden = false; });
    root.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
  };
  prepare(document);
  document.querySelectorAll("[data-poll]").forEach((element) => poll(element));
})();
