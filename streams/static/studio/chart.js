// Half an hour in one small picture: viewers as a line, orders as bars, each on its own scale.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 60;

/**
 * @param {{viewers: number|null, orders: number}[]} minutes the oldest first
 * @param {string} words what the picture shows, for who does not see it
 * @returns {SVGElement}
 */
export function chart(minutes, words) {
  const most = (key) => Math.max(1, ...minutes.map((minute) => minute[key] ?? 0));
  const step = WIDTH / minutes.length;
  const picture = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 2}`, role: "img", "aria-label": words, class: "chart" });
  picture.append(part("line", { class: "chart__ground", x1: 0, x2: WIDTH, y1: HEIGHT + 1, y2: HEIGHT + 1 }));
  picture.append(...minutes.flatMap(({ orders }, index) => bar(orders / most("orders"), index, step)));
  for (const stretch of stretches(minutes)) {
    const points = stretch.map(({ index, viewers }) => [x(index, step), y(viewers / most("viewers"))]);
    const [cx, cy] = points.at(-1);
    picture.append(part("polyline", { class: "chart__viewers", points: points.join(" ") }));
    picture.append(part("circle", { class: "chart__end", cx, cy, r: 3 }));
  }
  return picture;
}

function bar(share, index, step) {
  if (share === 0) return [];
  const height = share * HEIGHT * 0.75;
  return [part("rect", { class: "chart__orders", x: index * step + 1.5, width: step - 3, y: HEIGHT - height, height, rx: 1.5 })];
}

// Minutes that nobody counted leave a hole, not a zero.
function stretches(minutes) {
  const found = [[]];
  minutes.forEach(({ viewers }, index) => {
    if (viewers === null) found.push([]);
    else found.at(-1).push({ index, viewers });
  });
  return found.filter((stretch) => stretch.length > 0);
}

const x = (index, step) => ((index + 0.5) * step).toFixed(1);
const y = (share) => (HEIGHT - share * (HEIGHT - 4)).toFixed(1);

function part(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
