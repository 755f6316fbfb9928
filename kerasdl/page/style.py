"""The look of a page: light and dark, on a desk, a phone and paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f4f6f8; --ink: #1f2933; --soft: #52606d;
  --line: #d5dbe1; --right: #1d7a46; --wrong: #b3261e; --link: #1f5f8b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15191e; --card: #1f252c; --ink: #e6eaee; --soft: #a3afba;
    --line: #3a444e; --right: #5cc68c; --wrong: #ff8a80; --link: #86c5f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 {
  margin: 2.5rem 0 1rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line);
  font-size: 1.3rem;
}
h3 { margin: 1.8rem 0 .4rem; font-size: 1.05rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.note, caption, figcaption, dt, dd small { color: var(--soft); }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 1rem 0; padding: 0;
  list-style: none; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.numbers { display: grid; gap: .75rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.numbers div { padding: .7rem .9rem; border-radius: .5rem; background: var(--card); }
dt { font-size: .9rem; }
dd { margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
dd small { display: block; font-size: .85rem; }
.listing { display: flex; flex-wrap: wrap; gap: 0 1rem; margin: .3rem 0;
  align-items: start; }
.listing pre:first-child { flex: 0 1 45rem; }  /* lines of 84 characters */
.listing pre:only-child { flex-grow: 1; }
.listing pre { max-width: 100%; margin: 0; padding: .35rem .7rem; overflow-x: auto;
  border-radius: .4rem; font: .85rem/1.45 ui-monospace, monospace; }
.listing pre:first-child { background: var(--card); }
.result { color: var(--soft); }
.scroll { overflow: auto; max-height: 36rem; margin: 1rem 0; }
.scroll table { margin: 0; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem;
  line-height: 1.375rem; font-variant-numeric: tabular-nums; }
caption { padding: 0 0 .25rem; text-align: left; }
th, td { min-width: 4rem; max-width: 30rem; padding: .25rem .75rem;
  border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
th { font-weight: 600; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--paper);
  vertical-align: bottom; }
tbody th { position: sticky; left: 0; min-width: 7rem; background: var(--paper);
  font-weight: 500; }
.find { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: baseline;
  margin: 1rem 0 -.6rem; color: var(--soft); }
.find[hidden] { display: none; }
.find input { max-width: 100%; padding: .3rem .5rem; font: inherit; }
.find button { padding: .3rem .8rem; font: inherit; cursor: pointer; }
.number { text-align: right; }
td.number { white-space: nowrap; }
figure { margin: 0; }
.chart { max-width: 100%; margin: .5rem 0 1rem; }
.chart div { overflow-x: auto; border-radius: .4rem; }
.chart img { display: block; max-width: 100%; height: auto; }
.chart.wide img { min-width: 44rem; }
.row { display: grid; gap: .5rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); }
.pair { display: grid; gap: 0 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 33rem), 1fr)); }
.pictures { display: grid; gap: .8rem; margin: .6rem 0 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.picture { padding-bottom: .3rem; border-radius: .4rem; background: var(--card);
  overflow: hidden; }
.picture img { display: block; width: 100%; height: 10rem; object-fit: contain;
  background: var(--line); }
.picture { position: relative; }
.view { display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr); }
.view img { grid-area: 1 / 1; }
.picture .heat { display: none; background: none; }
.picture input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0;
  opacity: 0; cursor: zoom-in; }
.picture:has(:focus-visible) { outline: 3px solid var(--link); }
.picture:has(:checked) { position: fixed; inset: 0; z-index: 2; display: flex;
  flex-direction: column; padding: 1rem; border-radius: 0; overflow: auto;
  background: var(--paper); }
.picture:has(:checked) input { cursor: zoom-out; }
.picture:has(:checked) .view { flex: 1; min-height: 0; }
.picture:has(:checked) img { height: 100%; background: none; }
.picture:has(:checked) .heat { display: block; }
.picture:has(:checked) figcaption { padding: .8rem 0 0; font-size: 1.1rem;
  text-align: center; }
.picture figcaption { padding: .35rem .5rem 0; font-size: .82rem; line-height: 1.35;
  overflow-wrap: anywhere; }
.picture span { display: block; }
.right { color: var(--right); font-weight: 600; }
.wrong { color: var(--wrong); font-weight: 600; }
@media screen and (prefers-color-scheme: dark) {
  .chart img { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --right: #1d7a46; --wrong: #b3261e; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .find { display: none; }
  tr[hidden] { display: table-row; }
  .scroll, .chart div, .listing pre { max-height: none; overflow: visible; }
  .listing pre { white-space: pre-wrap; }
  .chart.wide img { min-width: 0; }
  .row { grid-template-columns: repeat(3, 1fr); }
  .pair { grid-template-columns: repeat(2, 1fr); }
  .pictures { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); }
  .picture img { height: 6.5rem; }
  .numbers div { border: 1px solid var(--line); }
  h2, h3 { break-after: avoid; }
  .chart, .picture, tr { break-inside: avoid; }
}
"""
