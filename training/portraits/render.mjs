// Render labelled portraits: node render.mjs OUT COUNT SIZE SEED [square|portrait|landscape]
// Writes OUT.rgb (COUNT x height x width x 3 bytes; SIZE is the shorter side) and OUT.json (one label record per picture).
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { draw } from './portrait.mjs';
import { chooser } from './random.mjs';
import { choose } from './attributes.mjs';

// The npm packages live where the caller works (training keeps no node_modules of its own).
const require = createRequire(path.join(process.cwd(), 'index.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)));

const [out, count, size, seed, view = 'square'] = process.argv.slice(2);
const { Resvg } = require('@resvg/resvg-js');
const { createAvatar } = await load('@dicebear/core');
const lorelei = await load('@dicebear/lorelei');

function pixels(svg) {
  const mode = view === 'landscape' ? 'height' : 'width';
  const rgba = new Resvg(svg, { fitTo: { mode, value: Number(size) } }).render().pixels;
  const rgb = Buffer.alloc((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

const random = chooser(Number(seed));
const file = fs.openSync(`${out}.rgb`, 'w');
const labels = [];
for (let i = 0; i < Number(count); i += 1) {
  const portrait = choose(random);
  fs.writeSync(file, pixels(draw(createAvatar, lorelei, portrait, random, view)));
  labels.push(portrait.label);
}
fs.writeFileSync(`${out}.json`, JSON.stringify(labels));
