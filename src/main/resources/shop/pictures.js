// Line drawings of the goods, as paths in a square of 48.
const PATHS = {
  "ROPE-30": "M24 8a16 16 0 1 1-.1 0M24 14a10 10 0 1 1-.1 0M24 20a4 4 0 1 1-.1 0M36 34l7 9",
  LANTERN: "M16 18h16l3 20H13zM18 12h12v6H18zM20 12a4 5 0 0 1 8 0M24 34c-4-3-4-6 0-11 4 5 4 8 0 11M11 42h26",
  COMPASS: "M24 6a18 18 0 1 1-.1 0M24 14l4 10-4 10-4-10zM24 6v4M24 38v4M6 24h4M38 24h4",
  "ANCHOR-5": "M24 6a4 4 0 1 1-.1 0M24 14v28M15 20h18M8 28c1 9 8 14 16 14s15-5 16-14M8 28l-3 5M8 28l6 3M40 28l3 5M40 28l-6 3",
  MUG: "M10 14h22v22a5 5 0 0 1-5 5H15a5 5 0 0 1-5-5zM32 19h4a5 5 0 0 1 5 5v4a5 5 0 0 1-5 5h-4M10 19h22",
  MAP: "M6 12l12-4 12 4 12-4v28l-12 4-12-4-12 4zM18 8v28M30 12v28M22 18l4 3-3 5 5 4",
};
const SVG = "http://www.w3.org/2000/svg";

export function picture(sku) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, value] of Object.entries({ d: PATHS[sku] ?? "", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" })) {
    path.setAttribute(name, value);
  }
  svg.append(path);
  return svg;
}
