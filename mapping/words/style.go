package words

// styles is the look of the page: on a wide screen, a phone, paper, by day and by
// night.
const styles = `
:root{color-scheme:light dark;--back:#fff;--card:#f7f8fa;--ink:#1b1f24;--soft:#59636e;--line:#d5dae0;--accent:#0b62c4;--group:#eaf1fb;--rule:#f3ecfa;--role:#fff4d6;--right:#e2f4e6;--edge:#8a95a1}
@media (prefers-color-scheme:dark){:root{--back:#14171b;--card:#1c2026;--ink:#e4e8ec;--soft:#9aa4af;--line:#333a43;--accent:#6db3ff;--group:#1d2f47;--rule:#33274a;--role:#3d3213;--right:#173a24;--edge:#6b7682}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1.2rem 4rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;overflow-wrap:break-word}
h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0 .6rem}
h2{font-size:1.35rem;margin:2.4rem 0 .6rem;padding-bottom:.25rem;border-bottom:2px solid var(--line)}
h3{font-size:1.1rem;margin:0 0 .4rem}
h4{font-size:.95rem;margin:1rem 0 .3rem}
p{margin:.5rem 0}
a{color:var(--accent);text-decoration:none}
a:hover,a:focus{text-decoration:underline}
code,small{overflow-wrap:anywhere}
code{font:.9em ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
small,.aside{font-size:.82rem;font-weight:400;color:var(--soft)}
var{font-style:normal;border-bottom:1px dotted var(--accent)}
header p:first-of-type{font-size:1.08rem}
nav>ol{margin:1rem 0;padding-left:2rem}
nav ul{list-style:none;margin:.1rem 0 .4rem;padding:0;columns:14rem;font-size:.92rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.9rem 1.1rem;margin:.8rem 0}
.card:target{outline:2px solid var(--accent)}
.lead{margin:0 0 .5rem}
dl{display:grid;grid-template-columns:minmax(8rem,11rem) 1fr;gap:.3rem 1rem;margin:0}
dt{color:var(--soft);font-size:.92rem}
dd{margin:0}
dd p{margin:0 0 .15rem}
table{border-collapse:collapse;width:100%;margin:.6rem 0;font-size:.94rem}
th{text-align:left;overflow-wrap:normal;color:var(--soft);font-weight:600;font-size:.86rem}
th,td{padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
figure{margin:1rem 0}
figcaption{font-weight:600;margin-bottom:.3rem}
.scroll{overflow-x:auto}
.dia{display:block;max-width:100%;height:auto;min-width:34rem;font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
.dia text{fill:var(--ink)}
.dia .small{fill:var(--soft);font-size:12px}
.dia rect{stroke:var(--line);stroke-width:1}
.dia .group rect{fill:var(--group)}
.dia .rule rect{fill:var(--rule)}
.dia .role rect{fill:var(--role)}
.dia .right rect,.dia .account rect{fill:var(--right)}
.dia .account rect{stroke:var(--edge);stroke-dasharray:4 3}
.dia .edge{fill:none;stroke:var(--edge);stroke-width:1.2}
.dia .gives{stroke-dasharray:5 4}
.dia .edge,.dia .node{transition:opacity .15s}
@media screen and (max-width:40rem){
body{padding:1rem .9rem 3rem}
dl{grid-template-columns:1fr;gap:0}
dt{margin-top:.45rem}
thead{display:none}
table,tbody,tr,td{display:block;width:100%}
tr{border-bottom:1px solid var(--line);padding:.45rem 0}
td{border:0;padding:.1rem 0;display:grid;grid-template-columns:7.5rem 1fr;gap:.6rem}
td:has(div:empty){display:none}
td::before{content:attr(data-head);color:var(--soft);font-size:.86rem}
}
@page{size:A4;margin:16mm 14mm}
@media print{
:root{color-scheme:light;--back:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#b9bfc6;--accent:#000;--group:#eaf1fb;--rule:#f3ecfa;--role:#fff4d6;--right:#e2f4e6;--edge:#6b7682}
body{max-width:none;padding:0;font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,h3,h4,figcaption,dt,section>p:first-of-type{break-after:avoid}
.card,figure,tr,li,p{break-inside:avoid}
.card:has(table){break-inside:auto}
thead{display:table-header-group}
.scroll{overflow:visible}
.dia{min-width:0;width:auto;max-width:100%;max-height:225mm}
a{color:inherit}
}
`
