// Turn a portrait's attributes into an SVG: lorelei's head and hair, our colours, eyes, mouth and body.
import { BACKGROUNDS, EYE_COLOURS, HAIR_COLOURS, SHIRTS } from './palette.mjs';
import { blush, eyes, glasses, mouth } from './features.mjs';

const MARK = { hair: '010201', skin: '010202', eyes: '010203', mouth: '010204', brow: '010205', nose: '010206',
  earrings: '010208', freckles: '010209', flower: '01020a' };
// Windows on the drawing, by width over height: square, portrait (more shirt) and landscape (more background).
const VIEWS = { square: '98 78 790 790', portrait: '98 40 790 1185', landscape: '-92 78 1185 790' };

const parse = (hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
const format = (rgb) => rgb.map((v) => Math.max(0, Math.min(255, Math.round(v))).toString(16).padStart(2, '0')).join('');
const mix = (hex, other, share) => format(parse(hex).map((v, i) => v * (1 - share) + parse(other)[i] * share));

function colours(p, random) {
  const tint = (hex, jitter = 0) => {
    const own = format(parse(hex).map((v) => v + random.spread(jitter)));
    return `#${p.style ? mix(own, 'ffeef4', 0.45) : own}`;
  };
  const hair = HAIR_COLOURS[p.hair];
  const light = p.hair === 'white' || p.hair === 'blonde';
  return { line: p.style ? '#96768f' : '#1d1a22', hair: tint(hair, 7), hairLine: tint(mix(hair, light ? '8a6f4a' : '100818', 0.42)),
    shine: tint(mix(hair, 'ffffff', 0.5)), skin: tint(p.skin[0], 3), shirt: tint(SHIRTS[p.shirt], 6),
    background: tint(BACKGROUNDS[p.background], 4), eye: tint(EYE_COLOURS[p.eye], 5),
    pupil: tint(mix(EYE_COLOURS[p.eye], '08040c', 0.68)), glow: tint(mix(EYE_COLOURS[p.eye], 'ffffff', 0.5)), white: '#ffffff',
    brow: tint(mix(hair, light ? '5a4630' : '000000', 0.45)), red: tint('c8394b'), frame: tint(random.pick(['1a1a22', '1a1a22', '7a2030'])),
    blush: p.style ? '#ffabc0' : '#ff8fa5', gold: tint('f0b400'), freckle: tint('b5653c'), petal: tint(random.pick(['ffffff', 'fff3a8', 'ffc2dc'])) };
}

function options(p, random) {
  const mark = Object.fromEntries(Object.entries({ hairColor: 'hair', skinColor: 'skin', eyesColor: 'eyes', mouthColor: 'mouth',
    eyebrowsColor: 'brow', noseColor: 'nose', earringsColor: 'earrings', frecklesColor: 'freckles', hairAccessoriesColor: 'flower' })
    .map(([option, name]) => [option, [MARK[name]]]));
  return { ...mark, seed: 'portrait', hair: [`variant${p.shape}`], eyes: ['variant02'], mouth: ['happy01'], eyebrows: ['variant01'],
    head: [`variant${random.pick(['02', '03', '04'])}`], nose: [`variant${random.pick(['02', '04', '06'])}`],
    beardProbability: 0, glassesProbability: 0, earringsProbability: p.earrings ? 100 : 0,
    earrings: [`variant${random.pick(['01', '03'])}`], frecklesProbability: p.freckles ? 100 : 0, freckles: ['variant01'],
    hairAccessoriesProbability: p.flower ? 100 : 0, hairAccessories: ['flowers'] };
}

/** Return a function giving the transform of one feature: the identity, or a distortion when `bad`. */
function mover(bad, random) {
  return () => (bad ? `translate(${random.spread(110)} ${random.spread(80)}) rotate(${random.spread(30)} 550 520)` : '');
}

function face(p, c, move) {
  const cheeks = p.blush ? blush(c.blush) : '';
  const eyewear = p.eyewear ? glasses(p.eyewear === 'sunglasses', c) : '';
  return { eyes: cheeks + eyes(p.eyeKind, p.mouth.shape === 'frown', c, move) + eyewear,
    mouth: `<g transform="${move()}">${mouth(p.mouth.shape, c)}</g>` };
}

/** Outline the hair and lay a band of light over it. */
function paintHair(svg, c) {
  const shapes = [...svg.matchAll(new RegExp(`<path d="([^"]*)" fill="#${MARK.hair}"/>`, 'g'))].map((m) => m[1]);
  const outlined = svg.replace(new RegExp(`fill="#${MARK.hair}"`, 'g'),
    `fill="${c.hair}" stroke="${c.hairLine}" stroke-width="9" stroke-linejoin="round"`);
  if (!shapes.length) return { svg: outlined, shine: '' };
  const clip = `<clipPath id="hair"><path d="${shapes.join(' ')}"/></clipPath>`;
  const band = `<path d="M300 372 Q400 262 560 268 Q660 272 730 330" fill="none" stroke="${c.shine}" stroke-width="34" stroke-linecap="round"/>`;
  return { svg: outlined, shine: `${clip}<g clip-path="url(#hair)" transform="translate(10 -60)">${band}</g>` };
}

/** Return the SVG text of portrait `p` seen through one of the VIEWS. */
export function draw(createAvatar, lorelei, p, random, view = 'square') {
  const c = colours(p, random);
  const move = mover(p.bad, random);
  const part = face(p, c, move);
  const source = createAvatar(lorelei, options(p, random)).toString().replace(/<metadata[\s\S]*?<\/metadata>/, '')
    .replace(/<mask[\s\S]*?<\/mask>/, '').replace('<g mask="url(#viewboxMask)">', '<g>');
  const hair = paintHair(source, c);
  const drop = (mark) => new RegExp(`<(path|g) [^>]*fill="#${mark}"[^>]*?(/>|>[\\s\\S]*?</g>)`);
  let svg = hair.svg.replace(drop(MARK.eyes), part.eyes).replace(drop(MARK.mouth), part.mouth).replace(drop(MARK.brow), '');
  const plain = { skin: c.skin, nose: c.line, earrings: c.gold, freckles: c.freckle, flower: c.petal };
  for (const [name, colour] of Object.entries(plain)) svg = svg.replaceAll(`#${MARK[name]}`, colour);
  svg = svg.replace(/fill="#000(000)?"/g, `fill="${c.line}"`);
  const body = `<path d="M60 1500 L60 1150 C70 1000 130 950 300 905 L420 880 L620 880 L720 905 C880 945 930 1000 940 1150 L940 1500Z" `
    + `transform="translate(10 -128) scale(1.0)" fill="${c.shirt}" stroke="${c.line}" stroke-width="14"/>`;
  svg = svg.replace('<g transform="translate(10 -60)">', `<rect x="-200" y="-200" width="1400" height="1400" fill="${c.background}"/>`
    + `${body}<g transform="translate(10 -60)">`);
  return svg.replace(/viewBox="[^"]*"/, `viewBox="${VIEWS[view]}"`).replace('</svg>', `${hair.shine}</svg>`);
}
