//! The style of the HTML page: calm paper by day, calm slate by night.

/// Inlined into the page. Colours are custom properties, whose contrast a test checks.
pub(crate) const STYLE: &str = r#"
:root {
  color-scheme: light dark;
  --page: #faf9f6; --card: #ffffff; --sunk: #f3f1ec; --line: #dedad1; --edge: #87827a;
  --text: #24262b; --soft: #5b5f68; --link: #1f5a94; --mark: #fbe3b4;
  --critical: #a3123a; --high: #a8410b; --medium: #7a5a00; --low: #1f5a94; --info: #555a63; --good: #27683a;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --card: #1b1e23; --sunk: #22262c; --line: #343940; --edge: #7d848f;
    --text: #e4e4e0; --soft: #a6acb6; --link: #8fbdf0; --mark: #5c4813;
    --critical: #ff8da4; --high: #ffa473; --medium: #e6c366; --low: #8fbdf0; --info: #b9bec7; --good: #8ccf9c;
  }
}
*, *::before { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 var(--sans); }
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre, .place, .rule, .verb { font-family: var(--mono); font-size: .875em; }
code { background: var(--sunk); padding: .08em .3em; border-radius: 4px; overflow-wrap: anywhere; }
pre { margin: 0; background: var(--sunk); border-radius: 8px; overflow-x: auto; line-height: 1.6; tab-size: 4; }
pre code { background: none; padding: 0; font-size: 1em; overflow-wrap: normal; }
h1, h2, h3, h4, h5, h6 { line-height: 1.3; margin: 0; text-wrap: balance; }
ul, ol, dl, dd, p, fieldset, table { margin: 0; padding: 0; }
ul { list-style: none; }
summary { cursor: pointer; }
summary > h2 { display: inline; }
.hidden, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:focus { position: fixed; top: .5rem; left: .5rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
.n { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .875rem; }
.level { font-weight: 650; white-space: nowrap; }
.level.critical { color: var(--critical); } .level.high { color: var(--high); } .level.medium { color: var(--medium); }
.level.low { color: var(--low); } .level.info { color: var(--info); }
.dots { letter-spacing: .05em; font-size: .7em; vertical-align: .12em; }

.masthead, .layout, footer { max-width: 84rem; margin: 0 auto; padding: 0 clamp(1rem, 3vw, 2.5rem); }
.masthead { padding-top: clamp(1.5rem, 5vw, 3.5rem); padding-bottom: 2rem; }
.brand { color: var(--soft); overflow-wrap: anywhere; }
.brand strong { color: var(--text); font-weight: 600; }
h1 { font-size: clamp(1.9rem, 5vw, 2.75rem); letter-spacing: -.02em; margin: .15em 0 .5em; font-weight: 680; }
.scroll { overflow-x: auto; }
.counts { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.counts th, .counts td { padding: .3rem 0 .3rem 2rem; text-align: right; }
.counts th[scope=row], .counts tr > :first-child { text-align: left; padding-left: 0; }
.counts thead th { font-weight: 400; font-size: .875rem; color: var(--soft); }
.counts thead th span { letter-spacing: .05em; font-size: .75em; }
.counts tbody tr { border-top: 1px solid var(--line); }
.counts td { font-size: 1.1rem; font-weight: 600; }
.counts .none { color: var(--soft); font-weight: 400; }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; margin-top: 1.25rem; color: var(--soft); font-size: .9rem; }

.layout { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem 3rem; align-items: start; }
@media (min-width: 60rem) {
  .layout:has(nav) { grid-template-columns: 17rem minmax(0, 1fr); }
  nav { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; scrollbar-width: thin; }
}
nav { font-size: .92rem; }
fieldset { border: 0; margin-bottom: 1.1rem; min-width: 0; }
legend, nav h2 { font-size: .8rem; font-weight: 650; color: var(--soft); letter-spacing: .02em; padding: 0; }
legend { margin-bottom: .25rem; }
label { display: flex; align-items: center; gap: .55rem; padding: .18rem 0; min-height: 1.75rem; cursor: pointer; }
label .n { margin-left: auto; padding-right: .5rem; }
input[type=checkbox] { width: 1.05rem; height: 1.05rem; accent-color: var(--link); margin: 0; }
.index { border-top: 1px solid var(--line); padding: .6rem 0; }
.index summary { padding: .22rem 0; }
.index ul ul { padding: 0 0 .3rem 1.1rem; }
.index .name { font-family: var(--mono); font-size: .85em; overflow-wrap: anywhere; }
.index li li a { display: block; padding: .15rem 0; text-decoration: none; color: var(--text); font-family: var(--mono); font-size: .8rem; overflow-wrap: anywhere; }
.index li li a:hover { text-decoration: underline; }
@media (max-width: 59.99rem) {
  nav { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0 2rem; }
  .index { grid-column: 1 / -1; }
}

.finding { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: clamp(1rem, 2.2vw, 1.6rem); margin-bottom: 1.25rem; }
.finding:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
.tags { display: flex; flex-wrap: wrap; gap: .15rem 1rem; align-items: baseline; font-size: .92rem; }
.tags .rule { color: var(--text); text-decoration-color: var(--edge); }
.confidence { color: var(--soft); white-space: nowrap; }
.cwe { margin-left: auto; color: var(--soft); font-size: .875rem; }
.finding h3 { font-size: 1.14rem; font-weight: 620; margin: .45rem 0 .35rem; text-wrap: pretty; overflow-wrap: anywhere; }
.finding h3 code { font-weight: 500; }
.place { color: var(--soft); overflow-wrap: anywhere; }
.place a { color: inherit; text-decoration: none; }
.place a:hover { text-decoration: underline; }
.place .at { color: var(--text); }
.suppressed { margin-top: .4rem; color: var(--soft); font-style: italic; }
.source { margin-top: .8rem; padding: .6rem 0; }
.source code { display: block; min-width: max-content; }
.source .l { display: block; padding-right: 1rem; }
.source .l::before { content: attr(data-n); display: inline-block; width: 3.6rem; padding-right: 1.1rem; text-align: right; color: var(--soft); user-select: none; }
.source .hit::before { color: var(--text); font-weight: 650; }
mark { background: var(--mark); color: inherit; border-radius: 3px; padding: .1em 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.path { margin-top: .9rem; }
.path > summary, dd summary { color: var(--link); padding: .15rem 0; width: fit-content; }
.path ol { list-style: none; counter-reset: step; margin: .6rem 0 .2rem .7rem; border-left: 2px solid var(--line); }
.path li { counter-increment: step; position: relative; padding: 0 0 1rem 1.6rem; }
.path li:last-child { padding-bottom: .1rem; }
.path li::before { content: counter(step); position: absolute; left: -.8rem; top: .05rem; width: 1.5rem; height: 1.5rem; border-radius: 50%; background: var(--card); border: 1.5px solid var(--edge); color: var(--soft); font-size: .78rem; line-height: 1.35rem; text-align: center; }
.path li:last-child::before { border-color: var(--text); color: var(--text); font-weight: 650; }
.path pre { padding: .35rem .75rem; margin-top: .3rem; }
dl { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: .55rem 1rem; margin-top: 1rem; }
dt { color: var(--soft); }
dd { overflow-wrap: anywhere; }
.endpoints li { padding-bottom: .35rem; }
.verb { font-weight: 650; }
.handler { color: var(--soft); }
.guards { display: block; font-size: .9rem; color: var(--soft); }
.guards .open { color: var(--high); }
.guards .open::before { content: "○ "; }
.guards .guarded::before { content: "● "; color: var(--good); }
@media (max-width: 40rem) {
  dl { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  dd { margin-bottom: .6rem; }
  .cwe { margin-left: 0; }
  .source .l::before { width: 2.9rem; padding-right: .8rem; }
  .counts th, .counts td { padding-left: 1rem; }
}
main section { margin: 2.75rem 0; }
main h2 { font-size: 1.3rem; font-weight: 650; }
.fold .finding { margin-top: 1rem; }
.problems li { padding: .6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.problems { margin-top: .8rem; }
.part { color: var(--soft); font-size: .875rem; }
.page { border-top: 1px solid var(--line); padding: .8rem 0; }
.page > summary { overflow-wrap: anywhere; font-weight: 550; padding: .2rem 0; }
#rules h2 { margin-bottom: .8rem; }
.page > div { max-width: 46rem; padding: .3rem 0 1rem; overflow-wrap: anywhere; }
.page > div > * + * { margin-top: .75rem; }
.page pre { padding: .75rem 1rem; }
.page ul { list-style: disc; padding-left: 1.3rem; } .page ol { padding-left: 1.5rem; }
.page h3 { font-size: 1.05rem; } .page h4, .page h5, .page h6 { font-size: .95rem; }
.page > div > h3, .page > div > h4 { margin-top: 1.3rem; }
.calm { font-size: 1.1rem; color: var(--soft); }
footer { padding-top: 1rem; padding-bottom: 3rem; color: var(--soft); font-size: .875rem; }

body:has(#show-critical:not(:checked)) .critical:is(article, li),
body:has(#show-high:not(:checked)) .high:is(article, li),
body:has(#show-medium:not(:checked)) .medium:is(article, li),
body:has(#show-low:not(:checked)) .low:is(article, li),
body:has(#show-info:not(:checked)) .info:is(article, li),
body:has(#show-sure-high:not(:checked)) .sure-high,
body:has(#show-sure-medium:not(:checked)) .sure-medium,
body:has(#show-sure-low:not(:checked)) .sure-low { display: none; }
@media print {
  nav { display: none; }
  .layout, .layout:has(nav) { display: block; }
  .finding { break-inside: avoid; }
}
"#;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::STYLE;

    /// WCAG 2's relative luminance of `#rrggbb`.
    fn luminance(color: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn colors(css: &str) -> HashMap<&str, &str> {
        let declarations = css.split(['{', ';', '}']).filter_map(|d| d.trim().split_once(": #"));
        declarations
            .filter_map(|(name, _)| {
                let value = &css[css.find(&format!("{name}: #"))? + name.len() + 2..];
                Some((name.strip_prefix("--")?, &value[..7]))
            })
            .collect()
    }

    #[test]
    fn every_text_has_contrast_by_day_and_by_night() {
        let (light, rest) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
        let (dark, _) = rest.split_once("*, *::before").unwrap();
        for (theme, css) in [("light", light), ("dark", dark)] {
            let colors = colors(css);
            for text in ["text", "soft", "link", "critical", "high", "medium", "low", "info", "good"] {
                for ground in ["page", "card", "sunk"] {
                    let ratio = contrast(colors[text], colors[ground]);
                    assert!(ratio >= 4.5, "{theme}: {text} on {ground} is {ratio:.2}");
                }
            }
            let ratio = contrast(colors["text"], colors["mark"]);
            assert!(ratio >= 4.5, "{theme}: marked code is {ratio:.2}");
            let ratio = contrast(colors["edge"], colors["card"]);
            assert!(ratio >= 3.0, "{theme}: edges are {ratio:.2}");
        }
    }
}
