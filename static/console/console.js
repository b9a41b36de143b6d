// The console's manners: asking before what cannot be undone, double presses, copying, light and dark.
(() => {
  "use strict";

  // data-confirm on a form, a button or a link: the words are asked first, then the act goes on as it would have.
  const dialog = document.getElementById("confirm");
  const ask = (element) => new Promise((resolve) => {
    const title = dialog.querySelector(".confirm__title");
    const yes = dialog.querySelector("[value=yes]");
    const danger = element.dataset.confirmTone === "danger";
    title.textContent = element.dataset.confirmTitle || title.dataset.default;
    dialog.querySelector(".confirm__text").textContent = element.dataset.confirm;
    yes.textContent = element.dataset.confirmLabel || yes.dataset.default;
    yes.className = danger ? "btn btn-danger" : "btn btn-primary";
    dialog.classList.toggle("confirm_danger", danger);
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
  const stop = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  const allowed = new WeakSet();

  document.addEventListener("click", async (event) => {
    const element = event.target.closest("a[data-confirm], button[data-confirm]");
    if (!element || !dialog) return;
    if (allowed.delete(element)) return;
    if (element.form && !element.form.reportValidity()) { stop(event); return; }
    stop(event);
    if (await ask(element)) { allowed.add(element); element.click(); }
  }, true);

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!dialog || !form.dataset.confirm || allowed.delete(form)) return;
    const submitter = event.submitter;
    stop(event);
    if (await ask(form)) { allowed.add(form); form.requestSubmit(submitter); }
  }, true);

  // The second press of a form is dropped, so that nothing is ordered twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.method === "get" || "resubmit" in form.dataset) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.classList.add("btn-loading");
    setTimeout(() => release(form), 20000);
  });
  const release = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll(".btn-loading").forEach((button) => button.classList.remove("btn-loading"));
  };
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch {
      const box = document.createElement("textarea");
      box.value = button.dataset.copy;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    button.classList.add("copied");
    button.setAttribute("title", button.dataset.copied);
    setTimeout(() => button.classList.remove("copied"), 1500);
  });

  // A choice in a filter form applies at once where the form asks for it.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && "autosubmit" in form.dataset) form.requestSubmit();
  });

  // On a phone a row of a table is a card: each cell says what its column is called.
  const label = () => {
    for (const table of document.querySelectorAll("table.table_stack:not(.table_labelled)")) {
      table.classList.add("table_labelled");
      const heads = [...table.querySelectorAll("thead :is(th, td)")].map((head) => head.textContent.trim());
      for (const row of table.tBodies[0].rows) {
        [...row.cells].forEach((cell, place) => {
          cell.dataset.label = heads[place] || "";
          const words = cell.textContent.trim();
          cell.classList.toggle("cell_empty", place > 0 && !cell.children.length && (words === "" || words === "–"));
        });
      }
    }
  };
  label();
  document.addEventListener("htmx:after:swap", label);

  // What was refused is looked at first, not the top of a long form.
  const refused = document.querySelector("main [aria-invalid=true]");
  if (refused) {
    const folded = refused.closest("details");
    if (folded) folded.open = true;
    refused.focus();
    refused.scrollIntoView({ block: "center" });
  }

  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", theme);
      try { localStorage.setItem("theme", theme); } catch { /* the choice lasts for this page */ }
    });
  }
})();
