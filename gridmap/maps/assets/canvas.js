/* Canvas: one drawing surface inside Leaflet, repainted when the view has settled, and what all layers draw with. */
(function (gm) {
  "use strict";

  gm.FONT = "'Segoe UI', -apple-system, 'Helvetica Neue', Roboto, 'Noto Sans', 'Liberation Sans', Arial, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Source Han Sans SC', 'WenQuanYi Micro Hei', sans-serif";

  /* Milliseconds that painting may take before the page answers again. */
  const SLICE = 16;

  /* paint(view): draws all, or, when sliced, gives the steps of it, which are then made in slices on a sheet that replaces
     the old one when it is done; so a large city never freezes the page. */
  gm.Surface = L.Renderer.extend({
    options: { padding: 0.15, paint: null, sliced: false },

    _initContainer: function () {
      this._container = document.createElement("canvas");
      this._container.setAttribute("aria-hidden", "true");
    },
    _destroyContainer: function () {
      L.DomUtil.remove(this._container);
      cancelAnimationFrame(this._next);
      delete this._container;
    },
    _updatePaths: function () {},
    _update: function () {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      this.repaint();
    },
    /* A canvas that was never cleared. Browsers print a canvas as vectors, and a clearing would blot out the page. */
    renew: function () {
      const old = this._container;
      const canvas = this._container = old.cloneNode(false);
      canvas.width = canvas.height = 0;
      old.parentNode.replaceChild(canvas, old);
      this.repaint(true);
    },
    repaint: function (atOnce) {
      if (!this._map || !this._bounds) return;
      cancelAnimationFrame(this._next);
      const size = this._bounds.getSize(), min = this._bounds.min;
      const canvas = atOnce === true || !this.options.sliced ? this._container : this._container.cloneNode(false);
      const ratio = Math.min(window.devicePixelRatio || 1, 2.5);
      canvas.width = Math.round(size.x * ratio);
      canvas.height = Math.round(size.y * ratio);
      canvas.style.width = size.x + "px";
      canvas.style.height = size.y + "px";
      const origin = this._map.getPixelOrigin().add(min), scale = Math.pow(2, this._map.getZoom());
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.lineJoin = context.lineCap = "round";
      const steps = this.options.paint({
        context: context, zoom: this._map.getZoom(), scale: scale, ox: origin.x, oy: origin.y,
        width: size.x, height: size.y,
        west: origin.x / scale, north: origin.y / scale,
        east: (origin.x + size.x) / scale, south: (origin.y + size.y) / scale
      });
      this.busy = true;
      const self = this, work = function () {
        const end = performance.now() + SLICE;
        while (steps && !steps.next().done) {
          if (atOnce !== true && performance.now() > end) { self._next = requestAnimationFrame(work); return; }
        }
        self._show(canvas, min);
      };
      work();
    },
    _show: function (canvas, min) {
      const old = this._container;
      L.DomUtil.setPosition(canvas, min);
      if (canvas !== old) {
        canvas.className = old.className;
        if (old.parentNode) old.parentNode.replaceChild(canvas, old);
        this._container = canvas;
      }
      this.busy = false;
    }
  });

  gm.inView = function (shapes, f, view) {
    const b = 4 * f, box = shapes.box;
    return box[b] <= view.east && box[b + 2] >= view.west && box[b + 1] <= view.south && box[b + 3] >= view.north;
  };

  /* Adds one shape to the current path; vertices nearer than half a pixel to the last one are passed over. */
  gm.trace = function (shapes, f, view) {
    const context = view.context, closed = shapes.kindOf(f) === 2, x = shapes.x, y = shapes.y;
    for (let r = shapes.ringStart[f]; r < shapes.ringStart[f + 1]; r++) {
      const from = shapes.pointStart[r], to = shapes.pointStart[r + 1];
      if (to - from < 2) continue;
      let px = x[from] * view.scale - view.ox, py = y[from] * view.scale - view.oy;
      context.moveTo(px, py);
      for (let i = from + 1; i < to; i++) {
        const qx = x[i] * view.scale - view.ox, qy = y[i] * view.scale - view.oy;
        if (Math.abs(qx - px) + Math.abs(qy - py) < 0.7 && i < to - 1) continue;
        context.lineTo(qx, qy);
        px = qx; py = qy;
      }
      if (closed) context.closePath();
    }
  };

  /* Paths of some hundred shapes are quicker than one of all, or one each. */
  gm.traceSteps = function* (shapes, view, choose, finish) {
    let waiting = 0, passed = 0;
    view.context.beginPath();
    for (let f = 0; f < shapes.n; f++) {
      if (++passed % 4000 === 0 && !waiting) yield;
      if (!gm.inView(shapes, f, view) || (choose && !choose(f))) continue;
      gm.trace(shapes, f, view);
      if (++waiting === 400) { finish(); yield; view.context.beginPath(); waiting = 0; }
    }
    if (waiting) finish();
  };
  gm.traceAll = function (shapes, view, choose, finish) { gm.all(gm.traceSteps(shapes, view, choose, finish)); };

  /* Makes all steps at once. */
  gm.all = function (steps) { while (!steps.next().done); };

  gm.dots = function (shapes, view, choose, draw) {
    for (let f = 0; f < shapes.n; f++) {
      if (!gm.inView(shapes, f, view) || (choose && !choose(f))) continue;
      const b = 4 * f, box = shapes.box;
      draw(f, (box[b] + box[b + 2]) / 2 * view.scale - view.ox, (box[b + 1] + box[b + 3]) / 2 * view.scale - view.oy);
    }
  };

  /* Is the point (world pixels) inside, by the even-odd rule? */
  gm.contains = function (shapes, f, wx, wy) {
    const b = 4 * f, box = shapes.box;
    if (wx < box[b] || wx > box[b + 2] || wy < box[b + 1] || wy > box[b + 3] || shapes.kindOf(f) !== 2) return false;
    const x = shapes.x, y = shapes.y;
    let inside = false;
    for (let r = shapes.ringStart[f]; r < shapes.ringStart[f + 1]; r++) {
      const from = shapes.pointStart[r], to = shapes.pointStart[r + 1];
      for (let i = from, j = to - 1; i < to; j = i++) {
        if (y[i] > wy !== y[j] > wy && wx < (x[j] - x[i]) * (wy - y[i]) / (y[j] - y[i]) + x[i]) inside = !inside;
      }
    }
    return inside;
  };

  /* Distance in world pixels from a point to the outline of a shape. */
  gm.distance = function (shapes, f, wx, wy, limit) {
    const b = 4 * f, box = shapes.box;
    if (wx < box[b] - limit || wx > box[b + 2] + limit || wy < box[b + 1] - limit || wy > box[b + 3] + limit) return Infinity;
    const x = shapes.x, y = shapes.y, closed = shapes.kindOf(f) === 2;
    let best = Infinity;
    for (let r = shapes.ringStart[f]; r < shapes.ringStart[f + 1]; r++) {
      const from = shapes.pointStart[r], to = shapes.pointStart[r + 1];
      for (let i = from; i < to; i++) {
        let j = i + 1;
        if (j === to) { if (!closed && to - from > 1) break; j = from; }
        const dx = x[j] - x[i], dy = y[j] - y[i], long = dx * dx + dy * dy;
        const t = long ? Math.max(0, Math.min(1, ((wx - x[i]) * dx + (wy - y[i]) * dy) / long)) : 0;
        best = Math.min(best, Math.hypot(wx - x[i] - t * dx, wy - y[i] - t * dy));
      }
    }
    return best;
  };

  /* Labels that never overlap: whoever comes first stays. */
  gm.labels = function (view) {
    const cells = {}, SIDE = 64;
    function each(box, visit) {
      for (let cx = Math.floor(box[0] / SIDE); cx <= Math.floor(box[2] / SIDE); cx++) {
        for (let cy = Math.floor(box[1] / SIDE); cy <= Math.floor(box[3] / SIDE); cy++) {
          if (visit(cx + ":" + cy)) return true;
        }
      }
      return false;
    }
    function free(box) {
      return !each(box, function (key) {
        return (cells[key] || []).some(function (o) { return box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]; });
      });
    }
    function take(box) {
      if (box[2] < 0 || box[0] > view.width || box[3] < 0 || box[1] > view.height || !free(box)) return false;
      each(box, function (key) { (cells[key] = cells[key] || []).push(box); });
      return true;
    }
    return {
      take: take,
      /* lines: [{text, font, colour, size}], one below the other around x, y; width: the most the place allows */
      text: function (lines, x, y, width) {
        const context = view.context;
        let wide = 0, high = 0;
        lines.forEach(function (line) {
          context.font = line.font;
          line.width = context.measureText(line.text).width;
          wide = Math.max(wide, line.width);
          high += line.size * 1.22;
        });
        if (width && wide > width) return false;
        if (!take([x - wide / 2 - 3, y - high / 2 - 1, x + wide / 2 + 3, y + high / 2 + 1])) return false;
        let at = y - high / 2;
        context.textAlign = "center";
        context.textBaseline = "middle";
        lines.forEach(function (line) {
          const middle = at + line.size * 0.61;
          context.font = line.font;
          context.lineWidth = line.halo === undefined ? 3 : line.halo;
          context.strokeStyle = "rgba(255,255,255,.88)";
          if (context.lineWidth) context.strokeText(line.text, x, middle);
          context.fillStyle = line.colour;
          context.fillText(line.text, x, middle);
          at += line.size * 1.22;
        });
        return true;
      }
    };
  };

  /* A name short enough for a label (most: Chinese characters, or twice as many Latin ones), its writing direction
     kept apart from that of its neighbours. */
  gm.short = function (text, most) {
    const letters = Array.from(String(text));
    let width = 0, end = 0;
    while (end < letters.length && width <= 2 * most) width += letters[end++] > "\u2e80" ? 2 : 1;
    return "\u2068" + (width > 2 * most ? letters.slice(0, end - 2).join("") + "…" : text) + "\u2069";
  };
})(window.gridmap = window.gridmap || {});
