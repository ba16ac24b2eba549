// Eyes, brows, mouths and glasses of our own: bold shapes that survive a picture of 128 pixels.

const EYES = { left: { cx: 450, cy: 520, rx: 66, ry: 80, out: -1 }, right: { cx: 652, cy: 514, rx: 52, ry: 78, out: 1 } };

const stroke = (d, colour, width, fill = 'none') =>
  `<path d="${d}" fill="${fill}" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
const ellipse = (cx, cy, rx, ry, fill) => `<ellipse cx="${cx}" cy="${cy}" rx="${rx}" ry="${ry}" fill="${fill}"/>`;

function openEye({ cx, cy, rx, ry, out }, c) {
  // The outer corner hangs lower than the inner one, which makes the look gentle.
  const lash = `M${cx + out * rx * 1.18} ${cy - ry * 0.12} Q${cx + out * rx * 0.55} ${cy - ry * 1.25} ${cx - out * rx * 0.1} ${cy - ry * 1.02} `
    + `Q${cx - out * rx * 0.7} ${cy - ry * 0.92} ${cx - out * rx * 0.95} ${cy - ry * 0.5}`;
  return ellipse(cx, cy, rx, ry, c.white) + ellipse(cx + 4, cy + 4, rx * 0.8, ry * 0.94, c.eye)
    + ellipse(cx + 4, cy, rx * 0.4, ry * 0.5, c.pupil) + ellipse(cx + 4, cy + ry * 0.62, rx * 0.46, ry * 0.24, c.glow)
    + ellipse(cx - rx * 0.2, cy - ry * 0.32, rx * 0.3, ry * 0.28, '#ffffff') + stroke(lash, c.line, 24);
}

function closedEye({ cx, cy, rx, ry }, c) {
  return stroke(`M${cx - rx} ${cy + ry * 0.3} Q${cx} ${cy - ry * 0.65} ${cx + rx} ${cy + ry * 0.3}`, c.line, 24);
}

function brow({ cx, cy, rx, ry }, c, tilt) {
  const y = cy - ry * 1.62;
  return stroke(`M${cx - rx * 0.8} ${y + tilt} Q${cx} ${y - 26} ${cx + rx * 0.8} ${y - tilt}`, c.brow, 16);
}

/** Draw both eyes with brows; `kind` is open, closed or wink, `move` distorts one eye. */
export function eyes(kind, sad, c, move) {
  const left = kind === 'closed' ? closedEye(EYES.left, c) : openEye(EYES.left, c);
  const right = kind === 'open' ? openEye(EYES.right, c) : closedEye(EYES.right, c);
  const tilt = sad ? 22 : 0;
  return `<g transform="${move()}">${left}</g><g transform="${move()}">${right}</g>`
    + brow(EYES.left, c, tilt) + brow(EYES.right, c, -tilt);
}

/** Draw a mouth by its name around (582, 690). */
export function mouth(kind, c) {
  const shapes = {
    smile: stroke('M520 678 Q582 738 640 672', c.line, 17),
    open: stroke('M522 668 Q582 676 636 664 Q636 752 580 752 Q528 748 522 668Z', c.line, 14, c.red),
    grin: stroke('M512 664 Q582 676 646 658 Q640 738 580 740 Q518 736 512 664Z', c.line, 14, '#ffffff')
      + stroke('M522 702 Q582 712 640 696', c.line, 8),
    frown: stroke('M524 722 Q582 662 638 716', c.line, 17),
    round: stroke('M582 664 C626 664 626 748 582 748 C540 748 540 664 582 664Z', c.line, 14, c.red),
    flat: stroke('M538 696 L622 692', c.line, 17),
  };
  return shapes[kind];
}

/** Draw two soft patches on the cheeks. */
export function blush(fill) {
  return `<g fill="${fill}" fill-opacity=".8">${ellipse(412, 632, 62, 34, fill)}${ellipse(694, 628, 40, 32, fill)}</g>`;
}

/** Draw round glasses, or sunglasses when `dark`. */
export function glasses(dark, c) {
  const lens = dark ? '#26232c' : '#ffffff';
  const opacity = dark ? 1 : 0.22;
  const frame = (x, w) => `<rect x="${x}" y="432" width="${w}" height="184" rx="${dark ? 60 : 82}" fill="${lens}" `
    + `fill-opacity="${opacity}" stroke="${c.frame}" stroke-width="18"/>`;
  const glint = dark ? stroke('M398 488 L428 468', '#ffffff', 14) + stroke('M618 488 L640 470', '#ffffff', 14) : '';
  return frame(352, 190) + frame(580, 152) + stroke('M542 512 Q560 494 580 508', c.frame, 18)
    + stroke('M352 500 L262 486', c.frame, 16) + glint;
}
