// Light or dark before the first paint: the reader's choice, else what the device asks for.
(() => {
  "use strict";
  const device = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = () => document.documentElement.setAttribute("data-bs-theme", chosen() || (device.matches ? "dark" : "light"));
  apply();
  device.addEventListener("change", apply);
})();
