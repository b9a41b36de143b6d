// SHA-256 (FIPS 180-4), for pages and workers that hash millions of short texts: the browser's own is only there on https,
// and gives up the thread for each of them. ``sha256.block`` is the compression of 64 bytes at ``at`` into ``state``.
(() => {
  "use strict";
  const K = new Uint32Array(64), START = new Uint32Array(8);
  // The constants are the fractions of cube and square roots of the first primes (FIPS 180-4).
  for (let n = 2, found = 0; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    K[found] = (Math.cbrt(n) % 1) * 4294967296;
    if (found < 8) START[found] = (Math.sqrt(n) % 1) * 4294967296;
    found += 1;
  }
  const W = new Uint32Array(64);
  const block = (state, bytes, at) => {
    for (let i = 0; i < 16; i += 1) {
      const j = at + i * 4;
      W[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = W[i - 15], y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = W[i - 16] + s0 + W[i - 7] + s1;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + S1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  };
  // Bytes, or a text of one byte a character, to the eight words of its hash.
  const words = (given) => {
    const size = given.length, padded = new Uint8Array((((size + 8) >> 6) + 1) << 6);
    if (typeof given === "string") for (let i = 0; i < size; i += 1) padded[i] = given.charCodeAt(i);
    else padded.set(given);
    padded[size] = 0x80;
    new DataView(padded.buffer).setUint32(padded.length - 4, size * 8);
    const state = START.slice();
    for (let at = 0; at < padded.length; at += 64) block(state, padded, at);
    return state;
  };
  const hex = (given) => Array.from(words(given), (word) => word.toString(16).padStart(8, "0")).join("");
  self.sha256 = { START, block, hex };
})();
