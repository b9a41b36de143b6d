// The camera as a scanner: decodes QR codes from a video, with the browser's own detector where it has one, else with
// the vendored decoder, whose WebAssembly is loaded from here and from nowhere else.
let detector = null;

const make = async (say) => {
  if (!("forceDecoder" in say) && "BarcodeDetector" in globalThis) {
    try {
      if ((await globalThis.BarcodeDetector.getSupportedFormats()).includes("qr_code")) return new globalThis.BarcodeDetector({ formats: ["qr_code"] });
    } catch { /* then our own */ }
  }
  const { BarcodeDetector, prepareZXingModule } = await import(say.decoder);
  prepareZXingModule({ overrides: { locateFile: () => say.wasm } });
  return new BarcodeDetector({ formats: ["qr_code"] });
};

export const watch = async (video, say, found) => {
  if (video.srcObject) {
    video.srcObject.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
    return;
  }
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  video.hidden = false;
  await video.play();
  detector ??= await make(say);
  const look = async () => {
    if (!video.srcObject) return;
    try {
      for (const symbol of await detector.detect(video)) found(symbol.rawValue);
    } catch { /* a picture that was not ready */ }
    setTimeout(look, 120);
  };
  look();
};
