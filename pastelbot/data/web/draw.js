// A picture to start from, and a mask that is drawn on it with a finger, a pen or a mouse.
"use strict";
globalThis.Drawing = class {
  constructor() {
    this.strokes = [];  // in parts of the picture: {erase, width, points: [[x, y], ...]}
    this.erasing = false;
    this.changed = false;  // since the mask was last taken
    this.brush = 8;  // percent of the longer side
  }

  async show(place, file) {
    this.image = new Image();
    this.image.src = URL.createObjectURL(file);
    await this.image.decode();
    this.canvas = document.createElement("canvas");
    const scale = Math.min(1, 1024 / Math.max(this.image.naturalWidth, this.image.naturalHeight));
    this.canvas.width = Math.max(1, this.image.naturalWidth * scale);
    this.canvas.height = Math.max(1, this.image.naturalHeight * scale);
    const begin = (event) => this.begin(event);
    const go = (event) => this.go(event);
    const end = () => { this.stroke = null; };
    for (const [name, action] of Object.entries({ pointerdown: begin, pointermove: go, pointerup: end, pointercancel: end })) {
      this.canvas.addEventListener(name, action);
    }
    place.replaceChildren(this.image, this.canvas);
    this.strokes = [];
    this.changed = true;
  }

  begin(event) {
    event.preventDefault();
    try { this.canvas.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
    this.stroke = { erase: this.erasing, width: this.brush / 100, points: [] };
    this.strokes.push(this.stroke);
    this.go(event);
  }

  go(event) {
    if (!this.stroke) return;
    const box = this.canvas.getBoundingClientRect();
    this.stroke.points.push([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    this.redraw();
  }

  undo() { this.strokes.pop(); this.redraw(); }
  clear() { this.strokes = []; this.redraw(); }

  redraw() {
    this.changed = true;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.paint(context, this.canvas.width, this.canvas.height, "#f06a9f");
  }

  paint(context, width, height, colour) {
    context.lineCap = context.lineJoin = "round";
    for (const { erase, width: part, points } of this.strokes) {
      context.globalCompositeOperation = erase ? "destination-out" : "source-over";
      context.strokeStyle = colour;
      context.lineWidth = Math.max(1, part * Math.max(width, height));
      context.beginPath();
      points.forEach(([x, y], number) => context[number ? "lineTo" : "moveTo"](x * width, y * height));
      if (points.length === 1) context.lineTo(points[0][0] * width + 0.01, points[0][1] * height);
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  // The mask as a PNG file as large as the picture, white on black; null where nothing is drawn.
  async mask() {
    this.changed = false;
    if (!this.strokes.some((stroke) => !stroke.erase)) return null;
    const canvas = document.createElement("canvas");
    canvas.width = this.image.naturalWidth;
    canvas.height = this.image.naturalHeight;
    const context = canvas.getContext("2d");
    this.paint(context, canvas.width, canvas.height, "#fff");
    context.globalCompositeOperation = "destination-over";
    context.fillRect(0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  }
};
