// The page of report: shows the frames that the server draws, asks for another view, and tells the values under the pointer.
'use strict';
(() => {
  const at = id => document.getElementById(id);
  const isLive = document.body.dataset.kind === 'live';
  const token = new URLSearchParams(location.search).get('token');
  const view = { from: null, to: null, off: new Set() };
  let frame = null, points = null, pointsOf = null, isPaused = false, drag = null;
  // After an answer the next question waits for PAUSE, after none for RETRY; PATIENCE is for a server that does not answer. In milliseconds.
  const PAUSE = 500, RETRY = 2000, PATIENCE = 10000;
  let asking = null, seen = '', timer = 0;
  const me = Math.random().toString(36).slice(2);

  function query() {
    const q = new URLSearchParams({ width: Math.round(at('chart').clientWidth) || 900 });
    if (token) q.set('token', token);
    if (view.from !== null) { q.set('from', view.from); q.set('to', view.to); }
    for (const name of view.off) q.append('off', name);
    return q.toString();
  }

  function say(text) { if (at('state').textContent !== text) at('state').textContent = text; }

  // Short questions that are answered at once, and empty where nothing is new. A browser has six connections for an origin, all its
  // tabs together; an EventSource keeps one, so the seventh tab hung, and one shared by a worker or a leader among tabs needs what not
  // every browser has (Android), or who leads next. Questions go through any proxy, and a server that comes back is simply answered by.
  function close() {
    clearTimeout(timer);
    const old = asking;
    asking = null;
    if (old) old.abort();
  }
  function open(isAsked) {
    close();
    for (const kind of ['csv', 'svg', 'png']) at(kind).href = 'report.' + kind + '?' + query();
    if (!isLive || document.hidden || (isPaused && isAsked !== true)) return;
    seen = '';
    ask();
  }
  async function ask() {
    const mine = asking = new AbortController();
    const limit = setTimeout(() => mine.abort(), PATIENCE);
    let next = null, wait = PAUSE;
    try {
      // no-store: else tabs with the same question wait for each other at the browser's cache.
      const answer = await fetch('frame.json?' + query() + '&page=' + me + '&seen=' + seen, { cache: 'no-store', signal: mine.signal });
      if (!answer.ok) throw new Error(answer.status);
      if (answer.status !== 204) next = await answer.json();
    } catch { wait = RETRY; }
    clearTimeout(limit);
    // Another view may have been asked for since.
    if (mine !== asking) return;
    if (next) { seen = next.id; show(next); }
    if (wait === RETRY) { seen = ''; say(frame.has_ended ? 'the run has ended' : 'not connected; trying again'); }
    if (!isPaused) timer = setTimeout(ask, wait);
  }

  function show(next) {
    frame = next;
    // The first one is in the page.
    if (frame.chart) {
      at('chart').innerHTML = frame.chart;
      at('tables').innerHTML = frame.tables;
      at('notes').textContent = frame.notes;
    }
    legend();
    hideHere();
    if (isLive) say(isPaused ? 'paused' : frame.has_ended ? 'the run has ended' : 'live');
  }

  // Buttons stay while their series stay: so the keyboard's place is kept.
  let shownLegend = '';
  function legend() {
    const wanted = JSON.stringify(frame.legend.map(entry => [entry.name, entry.slot]));
    if (wanted !== shownLegend) {
      shownLegend = wanted;
      at('legend').replaceChildren(...frame.legend.map(entry => {
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'c' + entry.slot;
        button.textContent = entry.name;
        button.title = 'Show or hide ' + entry.name;
        button.onclick = () => toggle(entry.name);
        return button;
      }));
    }
    for (const button of at('legend').children) button.setAttribute('aria-pressed', !view.off.has(button.textContent));
  }

  function toggle(name) {
    if (!view.off.delete(name)) view.off.add(name);
    legend();
    if (isLive) open(true); else hideHere();
  }

  // A file has no server that draws without a series: its marks are hidden by their colour.
  function hideHere() {
    if (isLive) return;
    for (const entry of frame.legend) {
      const colour = 'var(--s' + entry.slot + ')';
      for (const mark of at('chart').querySelectorAll('[stroke="' + colour + '"],[fill="' + colour + '"]')) {
        mark.setAttribute('visibility', view.off.has(entry.name) ? 'hidden' : 'visible');
      }
    }
  }

  // From the pointer to x.
  function plotUnder(event) {
    const svg = at('chart').querySelector('svg');
    if (!svg || !frame) return null;
    const box = svg.getBoundingClientRect();
    const unit = Number(svg.getAttribute('width')) / box.width;
    const x = (event.clientX - box.left) * unit, y = (event.clientY - box.top) * unit;
    const plot = frame.plots.find(plot => y >= plot.top && y <= plot.bottom);
    if (!plot) return null;
    const part = Math.min(1, Math.max(0, (x - plot.left) / (plot.right - plot.left)));
    return { plot, part, value: plot.from + part * (plot.to - plot.from), isInside: x >= plot.left && x <= plot.right, box, unit };
  }

  function xText(x) {
    return frame.axis === 'time' ? new Date(x).toISOString().replace('.000Z', 'Z') : String(x);
  }

  let isAsking = false;
  async function fetchPoints() {
    if (!isLive || isAsking || pointsOf === frame) return;
    isAsking = true;
    try {
      const asked = frame;
      const answer = await fetch('points.json?' + query(), { cache: 'no-store' });
      if (answer.ok) { points = await answer.json(); pointsOf = asked; }
    } catch { /* the next move of the pointer asks again */ }
    setTimeout(() => { isAsking = false; }, 500);
  }

  function nearest(list, x) {
    let low = 0, high = list.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle][0] < x) low = middle + 1; else high = middle;
    }
    const before = list[low - 1], after = list[low];
    return before && after && x - before[0] < after[0] - x ? before : after;
  }

  function tip(event) {
    const under = plotUnder(event);
    if (!under || !under.isInside) { at('tip').hidden = true; return; }
    fetchPoints();
    const panel = points && points.find(panel => panel.panel === under.plot.panel);
    if (!panel) return;
    const found = panel.series.filter(s => s.points.length && !view.off.has(s.name)).map(s => ({ s, p: nearest(s.points, under.value) }));
    if (!found.length) return;
    const closest = found.reduce((a, b) => Math.abs(a.p[0] - under.value) <= Math.abs(b.p[0] - under.value) ? a : b);
    const head = document.createElement('div');
    head.textContent = xText(closest.p[0]);
    const rows = found.slice(0, 12).map(({ s, p }) => {
      const row = document.createElement('div'), swatch = document.createElement('i');
      swatch.className = 'c' + s.slot;
      row.append(swatch, s.name + ': ' + p[1] + (p[0] === closest.p[0] ? '' : ' at ' + xText(p[0])));
      return row;
    });
    const box = at('tip');
    box.replaceChildren(head, ...rows);
    box.hidden = false;
    const main = document.querySelector('main').getBoundingClientRect();
    const left = event.clientX - main.left + 14;
    box.style.left = Math.max(0, Math.min(left, main.width - box.offsetWidth - 4)) + 'px';
    box.style.top = event.clientY - main.top + 14 + 'px';
  }

  function band(a, b) {
    const main = document.querySelector('main').getBoundingClientRect();
    const box = at('band'), plot = a.plot;
    const place = part => a.box.left - main.left + (plot.left + part * (plot.right - plot.left)) / a.unit;
    const left = place(Math.min(a.part, b.part)), right = place(Math.max(a.part, b.part));
    Object.assign(box.style, {
      left: left + 'px', width: right - left + 'px',
      top: a.box.top - main.top + plot.top / a.unit + 'px', height: (plot.bottom - plot.top) / a.unit + 'px',
    });
    box.hidden = false;
  }

  // A file has no server that draws a part of x: what stands in a plot is stretched along x, and cut off at both ends. y stays as it is.
  let whole = null;
  function stretchHere() {
    whole = whole || { chart: at('chart').innerHTML, plots: frame.plots };
    at('chart').innerHTML = whole.chart;
    const isPart = view.from !== null;
    frame.plots = isPart ? whole.plots.map(plot => ({ ...plot, from: view.from, to: view.to })) : whole.plots;
    if (isPart) whole.plots.forEach(stretch);
    hideHere();
    say(isPart ? xText(view.from) + ' – ' + xText(view.to) : '');
  }
  function stretch(plot) {
    const svg = at('chart').querySelector('svg'), unit = svg.viewBox.baseVal.width / Number(svg.getAttribute('width'));
    const left = plot.left * unit, right = plot.right * unit, top = plot.top * unit, bottom = (plot.bottom + 22) * unit;
    const wider = (plot.to - plot.from) / (view.to - view.from);
    const start = left + (view.from - plot.from) / (plot.to - plot.from) * (right - left);
    const place = x => left + (x - start) * wider;
    const id = 'cut' + plot.panel;
    const element = (name, attributes) => {
      const made = document.createElementNS(svg.namespaceURI, name);
      for (const key in attributes) made.setAttribute(key, attributes[key]);
      return made;
    };
    const marks = [...svg.children].map(mark => [mark, mark.getBBox()]);
    const cut = element('clipPath', { id });
    cut.append(element('rect', { x: left, y: top - unit, width: right - left, height: bottom - top + unit }));
    svg.append(cut);
    for (const [mark, box] of marks) {
      // The labels and the axis of y are to the left.
      if (box.y < top - 5 * unit || box.y + box.height > bottom || box.x + box.width <= left + 1) continue;
      const number = name => Number(mark.getAttribute(name));
      const set = (name, value) => mark.setAttribute(name, value);
      if (mark.tagName === 'text') {
        const middle = box.x + box.width / 2, to = place(middle);
        set('x', number('x') + to - middle);
        if (to < left - 1 || to > right + 1) set('visibility', 'hidden');
        continue;
      }
      set('clip-path', 'url(#' + id + ')');
      if (mark.hasAttribute('points')) set('points', mark.getAttribute('points').replace(/([^ ,]+),/g, (_, x) => place(Number(x)) + ','));
      else if (mark.tagName === 'rect') { const x = number('x'); set('width', number('width') * wider); set('x', place(x)); }
      else for (const name of ['x1', 'x2', 'cx']) if (mark.hasAttribute(name)) set(name, place(number(name)));
    }
  }

  function zoom(from, to) {
    pointsOf = null;
    if (!isLive && from !== null) {
      const all = (whole || frame).plots[0];
      from = Math.max(from, all.from);
      to = Math.min(to, all.to);
      if (from <= all.from && to >= all.to) from = to = null;
    }
    view.from = from;
    view.to = to;
    if (isLive) open(true); else stretchHere();
  }
  function zoomBy(factor) {
    const plot = frame && frame.plots[0];
    if (!plot) return;
    const middle = (plot.from + plot.to) / 2, half = (plot.to - plot.from) / 2 * factor;
    zoom(middle - half, middle + half);
  }

  at('chart').addEventListener('pointerdown', event => { if (event.button === 0) drag = plotUnder(event); });
  at('chart').addEventListener('pointermove', event => {
    const under = plotUnder(event);
    if (drag && under && under.plot.panel === drag.plot.panel && event.buttons) band(drag, under);
    tip(event);
  });
  at('chart').addEventListener('pointerleave', () => { at('tip').hidden = true; });
  window.addEventListener('pointerup', event => {
    const under = drag && plotUnder(event), start = drag;
    drag = null;
    at('band').hidden = true;
    if (!under || under.plot.panel !== start.plot.panel || Math.abs(under.part - start.part) < 0.01) return;
    zoom(Math.min(start.value, under.value), Math.max(start.value, under.value));
  });
  at('chart').addEventListener('dblclick', () => zoom(null, null));
  at('in').onclick = () => zoomBy(0.5);
  at('out').onclick = () => zoomBy(2);
  at('all').onclick = () => zoom(null, null);
  at('pause').onclick = () => {
    isPaused = !isPaused;
    at('pause').setAttribute('aria-pressed', isPaused);
    say(isPaused ? 'paused' : 'connecting');
    open();
  };
  at('theme').onclick = () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light');
    root.dataset.theme = now === 'dark' ? 'light' : 'dark';
  };
  document.addEventListener('visibilitychange', () => open());
  let lastWidth = 0;
  new ResizeObserver(() => {
    const width = Math.round(at('chart').clientWidth);
    if (width !== lastWidth) { lastWidth = width; clearTimeout(timer); timer = setTimeout(open, 200); }
  }).observe(at('chart'));

  show(JSON.parse(at('frame').textContent));
  if (isLive) say('connecting');
  else {
    points = JSON.parse(at('points').textContent);
    for (const id of ['pause', 'csv', 'svg', 'png']) at(id).hidden = true;
  }
})();
