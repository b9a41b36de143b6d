// Inside WeChat's app: receiving money on WeChat's own page, and its scanner. Works through WeChat's script, which the
// page loads beside this one; where that fails a sentence says so, and the page's other ways stay.
(() => {
  "use strict";
  const PATIENCE_MS = 8000;
  const signatureUrl = document.currentScript.dataset.signature;
  let prepared = null;

  const within = (promise, ms) =>
    Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error("late")), ms))]);

  // Tells WeChat which of its abilities this page uses, once; after a failure the next press tries again.
  const prepare = () => {
    prepared = prepared || within((async () => {
      const page = location.href.split("#")[0];
      const answer = await fetch(`${signatureUrl}?url=${encodeURIComponent(page)}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error("not signed");
      const signed = await answer.json();
      await new Promise((resolve, reject) => {
        wx.error(() => reject(new Error("refused")));
        wx.ready(resolve);
        wx.config({ debug: false, ...signed, jsApiList: ["checkJsApi", "scanQRCode", "requestMerchantTransfer"] });
      });
    })(), PATIENCE_MS).catch((error) => { prepared = null; throw error; });
    return prepared;
  };

  const bridge = () => within(new Promise((resolve) => {
    if (window.WeixinJSBridge) resolve(window.WeixinJSBridge);
    else document.addEventListener("WeixinJSBridgeReady", () => resolve(window.WeixinJSBridge), { once: true });
  }), PATIENCE_MS);

  const say = (text) => {
    const note = document.querySelector("[data-wechat-note]");
    if (!note) return;
    note.querySelector(".notice__text").textContent = text;
    note.hidden = !text;
  };

  const knows = (name) => new Promise((resolve) => {
    wx.checkJsApi({ jsApiList: [name], success: (answer) => resolve(Boolean(answer.checkResult[name])), fail: () => resolve(false) });
  });

  // <button data-transfer data-mch-id data-app-id data-package data-back data-old data-failed>. «ok» says that WeChat's
  // page was shown, not that money came: the page goes on to where that is asked for.
  const receive = async (button) => {
    await prepare();
    if (!(await knows("requestMerchantTransfer"))) { say(button.dataset.old); return; }
    const { mchId, appId, package: token, back, failed } = button.dataset;
    const app = await bridge();
    const said = await new Promise((resolve) => {
      app.invoke("requestMerchantTransfer", { mchId, appId, package: token }, (answer) => resolve(String(answer.err_msg)));
    });
    if (said.endsWith(":ok")) location.assign(back);
    else if (!said.endsWith(":cancel")) say(failed);
  };

  // <button data-wechat-scan data-check="/check" data-failed>
  const scan = async (button) => {
    await prepare();
    wx.scanQRCode({
      needResult: 1,
      scanType: ["qrCode"],
      success: (answer) => location.assign(`${button.dataset.check}?code=${encodeURIComponent(answer.resultStr)}`),
      fail: () => say(button.dataset.failed),
    });
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-transfer], [data-wechat-scan]");
    if (!button || button.classList.contains("is-busy")) return;
    say("");
    button.classList.add("is-busy");
    try { await ("transfer" in button.dataset ? receive(button) : scan(button)); }
    catch { say(button.dataset.failed); }
    finally { button.classList.remove("is-busy"); }
  });
  document.querySelectorAll("[data-wechat-scan]").forEach((button) => { button.hidden = !window.wx; });
})();
