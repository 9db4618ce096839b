// A whole show in one small picture: orders as bars, chat as an area, viewers as a line, each on its
// own scale, and behind them the parts that are proposed.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 84;
const TOP = 12;

/**
 * @param {{step_s: number, orders: number[], messages: number[], viewers: number[]}} course
 * @param {{start_s: number, end_s: number, kind: string}[]} parts the best first
 * @param {string} words what the picture shows, for who does not see it
 * @param {(second: number) => void} onPlay hears a tap on the picture
 * @returns {SVGElement}
 */
export function courseChart(course, parts, words, onPlay) {
  const lengthS = course.step_s * course.orders.length;
  const picture = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words, class: "course" });
  picture.append(...parts.flatMap((one, index) => mark(one, index, lengthS)));
  if (Math.max(...course.messages) > 0) picture.append(part("polygon", { class: "course__chat", points: area(course.messages) }));
  picture.append(...bars(course.orders));
  if (Math.max(...course.viewers) > 0) picture.append(part("polyline", { class: "chart__viewers", points: line(course.viewers).join(" ") }));
  picture.append(part("line", { class: "chart__ground", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
  // The rows below do the same by keyboard.
  picture.addEventListener("click", ({ clientX }) => {
    const { left, width } = picture.getBoundingClientRect();
    onPlay(Math.max(0, Math.min(1, (clientX - left) / width)) * lengthS);
  });
  return picture;
}

function mark({ start_s: start, end_s: end, kind }, index, lengthS) {
  const x = (start / lengthS) * WIDTH;
  const width = Math.max(3, ((end - start) / lengthS) * WIDTH);
  const label = part("text", { class: "course__rank", x: (x + width / 2).toFixed(1), y: TOP - 3, "text-anchor": "middle" });
  label.textContent = String(index + 1);
  return [part("rect", { class: `course__part course__part--${kind}`, x: x.toFixed(1), width: width.toFixed(1), y: TOP, height: HEIGHT - TOP }), label];
}

function bars(values) {
  const step = WIDTH / values.length;
  const most = Math.max(1, ...values);
  return values.flatMap((value, index) => {
    if (value === 0) return [];
    const height = (value / most) * (HEIGHT - TOP) * 0.8;
    return [part("rect", { class: "chart__orders", x: (index * step + 0.4).toFixed(1), width: Math.max(0.6, step - 0.8).toFixed(1), y: (HEIGHT - height).toFixed(1), height: height.toFixed(1) })];
  });
}

function area(values) {
  return [`0,${HEIGHT}`, ...line(values), `${WIDTH},${HEIGHT}`].join(" ");
}

function line(values) {
  const most = Math.max(1, ...values);
  const step = WIDTH / values.length;
  return values.map((value, index) => `${((index + 0.5) * step).toFixed(1)},${(HEIGHT - (value / most) * (HEIGHT - TOP - 2)).toFixed(1)}`);
}

function part(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
