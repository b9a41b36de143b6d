// The camera as a way to fill in a form: what it sees goes into a field, a line each into a text area.
const picture = document.getElementById("camera-picture");
for (const button of document.querySelectorAll("[data-camera-into]")) {
  button.hidden = false; // without scripts there is no camera to be had
  const field = document.getElementById(button.dataset.cameraInto);
  const take = (text) => {
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (lines.includes(text)) return;
    field.value = field.tagName === "TEXTAREA" ? [...lines, text].join("\n") + "\n" : text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    navigator.vibrate?.(40);
    if ("submits" in button.dataset) field.form.requestSubmit();
  };
  button.addEventListener("click", async () => {
    try {
      const { watch } = await import(button.dataset.camera);
      button.after(picture);
      await watch(picture, button.dataset, take);
      button.setAttribute("aria-pressed", String(!picture.hidden));
    } catch {
      button.querySelector("span").textContent = button.dataset.off;
      button.disabled = true;
    }
  });
}
