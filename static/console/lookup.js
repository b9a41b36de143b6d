// Looking a code up with the camera: the first code that it sees is looked up.
const button = document.getElementById("camera");
button.addEventListener("click", async () => {
  try {
    const { watch } = await import(button.dataset.camera);
    await watch(document.getElementById("video"), button.dataset, (text) => {
      const field = document.getElementById("q");
      if (field.value === text) return;
      field.value = text;
      field.form.requestSubmit();
    });
  } catch {
    button.textContent = button.dataset.off;
    button.disabled = true;
  }
});
