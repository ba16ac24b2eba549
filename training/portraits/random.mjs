// A small seeded generator (mulberry32), so that a seed always renders the same pictures.

/** Return {real, pick, chance, spread} drawing from one seeded stream. */
export function chooser(seed) {
  let state = seed * 7919 + 13;
  const real = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    real,
    pick: (list) => list[Math.floor(real() * list.length)],
    chance: (p) => real() < p,
    spread: (width) => (real() * 2 - 1) * width,
  };
}
