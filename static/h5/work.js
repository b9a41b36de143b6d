// Proof of work: finds the number for which SHA-256(salt + number) is the challenge, a slice at a time so that the page
// stays alive, and sends it.
(() => {
  "use strict";
  const SLICE_MS = 40;

  const find = (question) => new Promise((resolve, reject) => {
    let number = 0;
    const slice = () => {
      const end = Date.now() + SLICE_MS;
      while (Date.now() < end) {
        for (let i = 0; i < 200 && number <= question.maxnumber; i += 1, number += 1) {
          if (sha256.hex(question.salt + number) === question.challenge) { resolve(number); return; }
        }
        if (number > question.maxnumber) { reject(new Error("not found")); return; }
      }
      setTimeout(slice, 0);
    };
    slice();
  });

  const place = document.getElementById("work");
  const send = (fields) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = place.dataset.answer;
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  };
  const work = async () => {
    place.hidden = false;
    try {
      const answer = await fetch(place.dataset.question, { credentials: "same-origin" });
      if (!answer.ok) throw new Error("refused");
      const question = await answer.json();
      const number = await find(question);
      const { algorithm, challenge, salt, signature } = question;
      const payload = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
      send({ token: question.token, payload, next: location.pathname + location.search });
    } catch { place.textContent = place.dataset.failed; }
  };
  if (place) work();
})();
