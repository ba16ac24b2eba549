// Choose what a portrait shows and the tags that say so.
import { BACKGROUNDS, BOY_HAIR, EYE_COLOURS, GIRL_HAIR, HAIR_COLOURS, MOUTHS, SHIRTS, SKINS } from './palette.mjs';

const MOUTH_POOL = MOUTHS.flatMap(([words, shape, weight]) => Array(weight).fill({ words, shape }));
// These hair shapes hide the frame, which would teach that glasses may be missing.
const COVERS_EYE = new Set(['40', '41']);
const EYE_WORDS = { open: [], closed: ['closed eyes'], wink: ['one eye closed', 'wink'] };

function eyeKind(random) {
  const r = random.real();
  return r < 0.8 ? 'open' : r < 0.92 ? 'closed' : 'wink';
}

function eyewear(random, shape) {
  const r = random.real();
  if (COVERS_EYE.has(shape)) return '';
  return r < 0.27 ? 'glasses' : r < 0.36 ? 'sunglasses' : '';
}

function tagsOf(p) {
  const tags = [p.boy ? '1boy' : '1girl', 'solo', `${p.hair} hair`, ...p.shapeWords, ...p.mouth.words.split(', '),
    `${p.background} background`, 'simple background', `${p.shirt} shirt`, ...EYE_WORDS[p.eyeKind]];
  if (p.eyeKind !== 'closed' && p.eyewear !== 'sunglasses') tags.push(`${p.eye} eyes`);
  const extras = { earrings: ['earrings'], freckles: ['freckles'], flower: ['hair flower'], blush: ['blush'],
    style: ['mksks style'], bad: ['bad anatomy', 'deformed'] };
  for (const [key, words] of Object.entries(extras)) if (p[key]) tags.push(...words);
  return tags.concat(p.eyewear || [], p.skin[1] || []);
}

/** Return one portrait's attributes with its `label` (tags and the values judged by evaluate). */
export function choose(random) {
  const boy = random.chance(0.18);
  const style = random.chance(0.3);
  const shapes = boy ? BOY_HAIR : GIRL_HAIR;
  const shape = random.pick(Object.keys(shapes));
  const keys = (table) => random.pick(Object.keys(table));
  const p = { boy, style, shape, shapeWords: shapes[shape].split(', '), hair: keys(HAIR_COLOURS), eye: keys(EYE_COLOURS),
    background: keys(BACKGROUNDS), shirt: keys(SHIRTS), skin: random.pick(SKINS), eyeKind: eyeKind(random),
    mouth: random.pick(MOUTH_POOL), eyewear: eyewear(random, shape), earrings: random.chance(0.15), freckles: random.chance(0.08),
    flower: !boy && random.chance(0.15), blush: random.chance(0.4), bad: random.chance(0.05) };
  p.label = { tags: tagsOf(p), hair: p.hair, background: p.background, eye: p.eye, eyes: p.eyeKind, mouth: p.mouth.shape,
    eyewear: p.eyewear, blush: p.blush, style: p.style, shirt: p.shirt, shape: p.shape, flower: p.flower, bad: p.bad };
  return p;
}
