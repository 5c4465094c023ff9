// SPDX-License-Identifier: Apache-2.0
// The style sheet of the report: light and dark by the reader's preference, and for paper.
#pragma once

namespace scmi_vp::studies {

// Curves: Okabe and Ito's colours for colour-blind readers (lighter where the page is dark).
inline constexpr const char* report_style = R"css(
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--dim:#5b6570;--rule:#dfe3e8;--faint:#f0f2f4;
--panel:#f7f8fa;--s0:#0072b2;--s1:#d55e00;--s2:#007a5a;--s3:#b2568c;--s4:#3a8fc4;--s5:#a87200;--s6:#555b63;
--spurious:#c85400;--true:#0072b2;--gap:#8a93a0}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--ink:#e4e8ec;--dim:#9aa5b1;--rule:#353c45;
--faint:#23282f;--panel:#1b1f25;--s0:#4ea8de;--s1:#ff8c42;--s2:#2fc79b;--s3:#e28fc0;--s4:#8fd0f5;--s5:#f0b429;
--s6:#b0b8c1;--spurious:#ff8c42;--true:#4ea8de;--gap:#6d7783}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","Liberation Sans",Arial,sans-serif}
main{max-width:1160px;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem;letter-spacing:-.01em}
h2{font-size:1.3rem;line-height:1.3;margin:3rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--rule)}
p{max-width:46em;margin:.6rem 0}
.lead{font-size:1.12rem;color:var(--ink)}
.dim,figcaption,.facts{color:var(--dim)}
.facts{font-size:.9rem}
figure{margin:1.2rem 0 2rem}
figcaption{font-size:.92rem;max-width:52em;margin:0 0 .6rem}
svg{display:block;width:100%;height:auto;overflow:visible;font:12px system-ui,-apple-system,"Segoe UI",Roboto,
"Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
svg text{fill:var(--ink)}
svg .small{font-size:11px}
svg .label,svg .dim{fill:var(--dim)}
svg .inside{pointer-events:none}
.grid{stroke:var(--rule);stroke-width:1}.grid.minor{stroke:var(--faint)}
.axis{stroke:var(--dim);stroke-width:1}
.curve{fill:none;stroke-width:2;stroke-linejoin:round}
.timeout{stroke-width:1.5;stroke-dasharray:2 4;opacity:.85}
.dot{stroke:var(--page);stroke-width:1}
.hop{stroke:var(--page);stroke-width:1}
.whisker{fill:none;stroke-width:2}
.mark{stroke:var(--page);stroke-width:1}
.returned{stroke:var(--ink);stroke-width:1.5}
.gap{fill:var(--gap);opacity:.28}
.late{fill:none;stroke:var(--dim);stroke-width:1.5;stroke-dasharray:4 3}
.whisker.spurious{stroke:var(--spurious)}.mark.spurious{fill:var(--spurious)}
.whisker.true{stroke:var(--true)}.mark.true{fill:var(--true)}
.curve.s0,.timeout.s0{stroke:var(--s0)}.dot.s0{fill:var(--s0)}svg .ts0{fill:var(--s0)}
.curve.s1,.timeout.s1{stroke:var(--s1)}.dot.s1{fill:var(--s1)}svg .ts1{fill:var(--s1)}
.curve.s2,.timeout.s2{stroke:var(--s2)}.dot.s2{fill:var(--s2)}svg .ts2{fill:var(--s2)}
.curve.s3,.timeout.s3{stroke:var(--s3)}.dot.s3{fill:var(--s3)}svg .ts3{fill:var(--s3)}
.curve.s4,.timeout.s4{stroke:var(--s4)}.dot.s4{fill:var(--s4)}svg .ts4{fill:var(--s4)}
.curve.s5,.timeout.s5{stroke:var(--s5)}.dot.s5{fill:var(--s5)}svg .ts5{fill:var(--s5)}
.curve.s6,.timeout.s6{stroke:var(--s6)}.dot.s6{fill:var(--s6)}svg .ts6{fill:var(--s6)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.7rem 0 0;padding:0;font-size:.85rem}
.legend li{display:flex;align-items:center;gap:.45rem}
.legend .key{width:34px;height:12px;flex:none}.legend .box{width:12px;height:12px;flex:none}
.wide{overflow-x:auto}
@media screen{figure{overflow-x:auto}figure>svg{min-width:640px}figcaption,.legend{position:sticky;left:0}}
table{border-collapse:collapse;font-size:.84rem;font-variant-numeric:tabular-nums;line-height:1.35;min-width:100%}
table.narrow{min-width:44rem}
th,td{padding:.42rem .5rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule);white-space:nowrap}
thead th{vertical-align:bottom;font-weight:600;border-bottom:2px solid var(--dim);white-space:normal}
th[scope=row],th.axis-name{text-align:left}
tbody th{font-weight:600}
td small{display:block;color:var(--dim);font-size:.92em}
tbody tr:hover{background:var(--faint)}
details{margin:.8rem 0;font-size:.92rem}summary{cursor:pointer;color:var(--dim)}
@media screen{details:not([open])+*{display:none}}@media print{summary{list-style:none}}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;
font:13px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
code{font:.92em ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere}
sup{font-size:.72em;color:var(--dim);padding-left:.15em;line-height:0}
ol.facts{max-width:60em;padding-left:1.4rem;margin:.8rem 0}ol.facts li{margin:.2rem 0}
ul.notes{max-width:46em;padding-left:1.2rem}ul.notes li{margin:.4rem 0}
@media print{:root{color-scheme:light;--page:#fff;--ink:#000;--dim:#444;--rule:#ccc;--faint:#eee;--panel:#fff}
@page{margin:14mm}body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}
figure,tr,pre{break-inside:avoid}.wide{overflow:visible}table{font-size:6.6pt}th,td{padding:.25rem .3rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace scmi_vp::studies
