// Colours and shapes of the portraits, keyed by the danbooru words that name them.

export const HAIR_COLOURS = {
  red: 'd8402f', blonde: 'f5d566', brown: '7d4a2d', black: '2a2834', blue: '3d6fd6', pink: 'f48fb8',
  purple: '8a55c9', green: '3fa45f', white: 'f4f3f6', grey: '9c9ca6', orange: 'ef8630', aqua: '58cfd0',
};
export const EYE_COLOURS = {
  blue: '2f6be8', green: '22a455', brown: '7a4522', red: 'e02a3c', purple: '8a3fd0', yellow: 'edb20e',
  black: '2b2a36', pink: 'f0559f', aqua: '17b5c4',
};
export const BACKGROUNDS = {
  pink: 'ffc6dc', blue: 'b9d6ff', green: 'c2efcb', purple: 'd9c8fa', yellow: 'fff0a6', white: 'ffffff',
  grey: 'c6c6cd', orange: 'ffd0a3', red: 'f08f8f', aqua: 'b0eeec', black: '2b2931',
};
export const SHIRTS = {
  white: 'fafafa', black: '34323e', blue: '4a78d0', pink: 'f59cc0', red: 'cf4141', green: '5aa873',
  yellow: 'f0cb55', purple: '9a6bd0',
};
// Repeated rows weigh more; the empty word leaves the skin unnamed.
export const SKINS = [
  ['ffe8d8', 'fair skin'], ['ffe8d8', ''], ['ffe0c8', ''], ['ffe0c8', ''], ['ffdcc4', ''], ['fbd0b0', ''],
  ['d79a6c', 'dark skin'], ['a86b40', 'dark skin'],
];

export const GIRL_HAIR = {
  '06': 'short hair, bangs, ahoge', '11': 'short hair, bangs, ahoge', '43': 'short hair, bangs',
  '20': 'short hair, messy hair', '10': 'medium hair, bangs', '17': 'medium hair, bangs',
  '18': 'medium hair, wavy hair', '37': 'medium hair, wavy hair', '19': 'medium hair, bob cut, bangs',
  '23': 'medium hair, bob cut, bangs', '15': 'long hair', '16': 'long hair, bangs, ahoge',
  '21': 'long hair, ahoge', '35': 'long hair, wavy hair', '24': 'long hair, curly hair',
  '40': 'long hair, hair over one eye', '41': 'long hair, hair over one eye', '31': 'ponytail',
  '42': 'ponytail, bangs', '14': 'hair bun, bangs', '46': 'hair bun, bangs', '26': 'double bun',
};
export const BOY_HAIR = {
  '08': 'short hair', '04': 'short hair, messy hair', '44': 'short hair, spiked hair', '20': 'short hair, messy hair',
};
// Words, own mouth shape (features.mjs), weight.
export const MOUTHS = [
  ['smile', 'smile', 5], ['open mouth, smile', 'open', 4], ['grin, teeth', 'grin', 2], ['frown, sad', 'frown', 3],
  ['open mouth, surprised', 'round', 1], ['closed mouth, expressionless', 'flat', 2],
];
