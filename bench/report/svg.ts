/*
 * Just enough SVG for plots of ours. Colours are classes, so that one file is read on light and on dark pages; it holds
 * nothing but shapes and text, and loads nothing.
 */

const style = `
text{font:12px system-ui,sans-serif;fill:#333}
.title{font-size:14px;font-weight:600}
.grid{stroke:#ddd;stroke-width:1}
.axis{stroke:#888;stroke-width:1}
.target{stroke:#333;stroke-width:2}
.reference{stroke:#888;stroke-width:1;stroke-dasharray:5 4}
.good{fill:#2a7f62}
.bad{fill:#b4532a}
.series0,.series1{fill:none;stroke-width:2}
.series0{stroke:#1f6fb2}
.series1{stroke:#b4532a}
.point0{fill:#1f6fb2}
.point1{fill:#b4532a}
@media (prefers-color-scheme:dark){
text{fill:#ddd}
.grid{stroke:#444}
.axis,.reference{stroke:#999}
.target{stroke:#eee}
.good{fill:#4fbf97}
.bad{fill:#e58a5c}
.series0{stroke:#6db3ee}
.series1{stroke:#e58a5c}
.point0{fill:#6db3ee}
.point1{fill:#e58a5c}
}
`;

export function drawing(width: number, height: number, name: string, shapes: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(name)}</title>`,
    `<style>${style}</style>`,
    ...shapes,
    '</svg>\n',
  ].join('\n');
}

export function title(x: number, y: number, content: string): string {
  return `<text class="title" x="${round(x)}" y="${round(y)}">${escapeXml(content)}</text>`;
}

export function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

export function rectangle(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>`;
}

export function circle(x: number, y: number, kind: string): string {
  return `<circle class="${kind}" cx="${round(x)}" cy="${round(y)}" r="3"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
