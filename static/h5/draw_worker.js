// Draws again, as scancode/campaigns/proof.py, permutation.py and chance.py do; tests hold both to the same vectors.
// Asked: {sha256: URL, pools: of draw.json, places: [[batch, serial]…], all: true to draw for every code}.
// Tells, in this order: {committed: [bool…]}, {drawn: [{pool, turns: [[line or null, amount]…]} or null…]}, and for every
// code {pool, done}… and {pool, counts, sums, beyond, wrong: [line…]}, then {end: true}; or {broken: true}.
"use strict";
const ROUNDS = 10, TURNS_MAX = 3, WHOLE_PPM = 1000000n, TOLD_MS = 150, SECRET = /^[0-9a-f]{64}$/;
const HALF = 4294967296;

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// HMAC-SHA-256 under one secret, for messages of up to 55 bytes: two blocks each, since the first of either hash is kept.
class Keyed {
  constructor(secret) {
    const start = (pad) => {
      const block = new Uint8Array(64).fill(pad), state = sha256.START.slice();
      secret.forEach((byte, place) => { block[place] ^= byte; });
      sha256.block(state, block, 0);
      return state;
    };
    this.inner = start(0x36);
    this.outer = start(0x5c);
    this.state = new Uint32Array(8);
    this.second = new Uint8Array(64);
    this.view = new DataView(this.second.buffer);
    this.second[32] = 0x80;
    this.view.setUint32(60, (64 + 32) * 8);
  }

  // A message to be filled in again and again: its 64 bytes with padding, and a view to write numbers with.
  message(label, size) {
    const block = new Uint8Array(64), view = new DataView(block.buffer);
    for (let place = 0; place < label.length; place += 1) block[place] = label.charCodeAt(place);
    block[size] = 0x80;
    view.setUint32(60, (64 + size) * 8);
    return { block, view };
  }

  // The first 8 bytes of the answer, as two halves.
  digest(block) {
    this.state.set(this.inner);
    sha256.block(this.state, block, 0);
    for (let place = 0; place < 8; place += 1) this.view.setUint32(place * 4, this.state[place]);
    this.state.set(this.outer);
    sha256.block(this.state, this.second, 0);
    this.high = this.state[0];
    this.low = this.state[1];
  }

  modulo(size) {
    if (size < 1 << 26) return ((this.high % size) * (HALF % size) + this.low) % size; // exact: below 2^53
    return Number(this.whole() % BigInt(size));
  }

  whole() { return (BigInt(this.high) << 32n) | BigInt(this.low); }
}

const put = (view, at, number) => { // 8 bytes, big-endian
  view.setUint32(at, Math.floor(number / HALF));
  view.setUint32(at + 4, number % HALF);
};

class Pool {
  constructor(found) {
    const { mode, size, ranges, prizes } = found.table;
    const covered = ranges.reduce((sum, [number, first, last]) => {
      if (![number, first, last].every(isCount) || last < first) throw new Error("ranges");
      return sum + last - first + 1;
    }, 0);
    if (!SECRET.test(found.secret) || !["exact", "odds"].includes(mode) || !isCount(size) || covered !== size || !size) throw new Error("pool");
    this.lines = prizes.map(([kind, least, most, ppm, count]) => {
      if (!/^[a-z_]+$/.test(kind) || ![least, most ?? 0, ppm ?? 0, count].every(isCount)) throw new Error("prizes");
      return { kind, least, most, ppm, count };
    });
    Object.assign(this, { mode, size, ranges, prizes, secret: found.secret, commitment: found.commitment });
    this.keyed = new Keyed(bytesOf(found.secret));
    this.lefts = Math.ceil(Math.sqrt(size)); // both exact: no pool comes near 2^53
    while (this.lefts * this.lefts < size) this.lefts += 1;
    while ((this.lefts - 1) * (this.lefts - 1) >= size) this.lefts -= 1;
    this.rights = Math.ceil(size / this.lefts);
    this.round = this.keyed.message("scancode.draw.1", 32);
    put(this.round.view, 15, size);
    this.pair = this.keyed.message("scancode.amount.1", 33);
    this.wheels = ["scancode.wheel.1", "scancode.wheel.2"].map((label) => [24, 32].map((bytes) => this.keyed.message(label, bytes)));
  }

  // The table as it was hashed: keys sorted, no spaces, and nothing in it but whole numbers and plain words.
  get isCommitted() {
    const { mode, prizes, ranges, size } = this;
    const text = JSON.stringify({ mode, prizes, ranges, size });
    return sha256.hex(`scancode.commit.1\n${this.secret}\n${text}`) === this.commitment;
  }

  indexOf(number, serial) {
    let offset = 0;
    for (const [batch, first, last] of this.ranges) {
      if (batch === number && first <= serial && serial <= last) return offset + serial - first;
      offset += last - first + 1;
    }
    return null;
  }

  mix(round, value, size) {
    this.round.view.setUint8(23, round);
    put(this.round.view, 24, value);
    this.keyed.digest(this.round.block);
    return this.keyed.modulo(size);
  }

  placeOf(index) {
    let place = index;
    do {
      let left = Math.floor(place / this.rights), right = place % this.rights;
      for (let round = 0; round < ROUNDS; round += 2) {
        left = (left + this.mix(round, right, this.lefts)) % this.lefts;
        right = (right + this.mix(round + 1, left, this.rights)) % this.rights;
      }
      place = left * this.rights + right;
    } while (place >= this.size);
    return place;
  }

  amountAt(line, place) {
    const { least, most, count } = this.lines[line];
    if (place === count - 1 && count % 2) return Math.floor((least + most) / 2);
    put(this.pair.view, 17, line);
    put(this.pair.view, 25, Math.floor(place / 2));
    this.keyed.digest(this.pair.block);
    const shift = this.keyed.modulo(most - least + 1);
    return place % 2 ? most - shift : least + shift;
  }

  spin(wheel, index, turn) {
    const message = this.wheels[wheel][turn === 1 ? 0 : 1];
    put(message.view, 16, index);
    if (turn !== 1) put(message.view, 24, turn);
    this.keyed.digest(message.block);
  }

  // [line or null, amount] of one turn.
  drawn(index, turn = 1) {
    return this.mode === "odds" ? this.won(index, turn) : this.held(this.placeOf(index));
  }

  won(index, turn) {
    this.spin(0, index, turn);
    let stop = Number((this.keyed.whole() * WHOLE_PPM) >> 64n);
    const line = this.lines.findIndex(({ ppm }) => { const here = stop < (ppm ?? 0); stop -= ppm ?? 0; return here; });
    if (line < 0 || (this.lines[line].kind === "again" && turn >= TURNS_MAX)) return [null, 0];
    const { least, most } = this.lines[line];
    if (most === null) return [line, least];
    this.spin(1, index, turn);
    return [line, least + this.keyed.modulo(most - least + 1)];
  }

  held(place) {
    for (let line = 0; line < this.lines.length; line += 1) {
      const { least, most, count } = this.lines[line];
      if (place < count) return [line, most === null ? least : this.amountAt(line, place)];
      place -= count;
    }
    return [null, 0];
  }

  turns(index) {
    const found = [this.drawn(index)];
    for (let line = found[0][0]; line !== null && this.lines[line].kind === "again"; line = found[found.length - 1][0]) {
      found.push(this.drawn(index, found.length + 1));
    }
    return found;
  }
}

const drawAll = (pool, number) => {
  const counts = pool.lines.map(() => 0), sums = pool.lines.map(() => 0);
  let beyond = 0, told = performance.now();
  for (let index = 0; index < pool.size; index += 1) {
    for (const [line, amount] of pool.turns(index)) {
      if (line === null) { beyond += 1; continue; }
      counts[line] += 1;
      sums[line] += amount;
    }
    if (index % 1024 === 0 && performance.now() - told > TOLD_MS) {
      told = performance.now();
      postMessage({ pool: number, done: index });
    }
  }
  const wrong = pool.mode === "exact" ? counts.flatMap((count, line) => (count === pool.lines[line].count ? [] : [line])) : [];
  postMessage({ pool: number, counts, sums, beyond, wrong });
};

onmessage = ({ data: asked }) => {
  try {
    importScripts(asked.sha256);
    const pools = asked.pools.map((found) => new Pool(found));
    postMessage({ committed: pools.map((pool) => pool.isCommitted) });
    postMessage({ drawn: asked.places.map(([number, serial]) => {
      for (const [place, pool] of pools.entries()) {
        const index = pool.indexOf(number, serial);
        if (index !== null) return { pool: place, turns: pool.turns(index) };
      }
      return null;
    }) });
    if (asked.all) pools.forEach(drawAll);
    postMessage({ end: true });
  } catch { postMessage({ broken: true }); }
};
