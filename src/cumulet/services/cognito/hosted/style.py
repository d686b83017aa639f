"""How the sign-in pages look: one sheet, in light and dark, without anything from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --ink: #131a24; --soft: #4d5a69; --edge: #dde3ea;
  --field-edge: #7b8794; --field: #fff; --page: #eef2f8; --glow: #dbe6fb; --card: #fff;
  --act: #1d58c7; --act-deep: #17479f; --act-ink: #fff; --bad: #a3121f; --bad-page: #fdf0f0;
  --good: #14623a; --good-page: #edf8f1; --shade: 15 30 60; }
@media (prefers-color-scheme: dark) { :root { --ink: #eaf0f7; --soft: #a9b6c6; --edge: #2b3746;
  --field-edge: #6f7f92; --field: #111922; --page: #0c1219; --glow: #15233b; --card: #17202b;
  --act: #8ab6ff; --act-deep: #a9c9ff; --act-ink: #0a1626; --bad: #ffa4a4; --bad-page: #331a1e;
  --good: #86ddaa; --good-page: #142a1f; --shade: 0 0 0; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center;
  padding: 2rem 1rem; color: var(--ink);
  background: radial-gradient(60rem 36rem at 50% -12rem, var(--glow), transparent) var(--page);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { width: min(27rem, 100%); background: var(--card); border: 1px solid var(--edge);
  border-radius: 1rem; padding: 2.25rem 2rem 2rem;
  box-shadow: 0 1px 2px rgb(var(--shade) / .06), 0 18px 48px -12px rgb(var(--shade) / .18); }
.brand { display: flex; align-items: center; gap: .7rem; margin: 0 0 1.5rem; color: var(--soft);
  font-weight: 600; overflow-wrap: anywhere; }
.brand b { flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem;
  border-radius: .65rem; background: linear-gradient(135deg, var(--act), var(--act-deep));
  color: var(--act-ink); font-size: 1.05rem; line-height: 1; }
h1 { margin: 0; font-size: 1.65rem; line-height: 1.2; letter-spacing: -.01em;
  text-wrap: balance; }
.lead { margin: .4rem 0 0; color: var(--soft); text-wrap: pretty; }
.who { display: flex; flex-wrap: wrap; gap: .1rem .6rem; justify-content: space-between;
  margin: 1rem 0 0; padding: .6rem .85rem; border: 1px solid var(--edge); border-radius: .6rem;
  font-size: .9375rem; overflow-wrap: anywhere; }
form { margin: .35rem 0 0; }
label, legend { display: block; margin: 1.1rem 0 .35rem; padding: 0; font-size: .9375rem;
  font-weight: 600; }
fieldset { margin: 1.1rem 0 0; padding: 0; border: 0; }
legend { margin: 0 0 .35rem; }
input { width: 100%; min-height: 3rem; padding: .6rem .8rem; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--field-edge); border-radius: .6rem; }
input:hover { border-color: var(--act); }
input[aria-invalid] { border-color: var(--bad); box-shadow: inset 0 0 0 1px var(--bad); }
input.code { font-variant-numeric: tabular-nums; font-size: 1.35rem; letter-spacing: .3em;
  text-align: center; }
.choice { display: flex; align-items: center; gap: .8rem; min-height: 3rem; margin: .5rem 0 0;
  padding: .5rem .85rem; border: 1px solid var(--field-edge); border-radius: .6rem; }
.choice:has(:checked) { border-color: var(--act); box-shadow: inset 0 0 0 1px var(--act); }
.choice input { flex: none; width: 1.2rem; height: 1.2rem; min-height: 0; margin: 0;
  accent-color: var(--act); }
.choice label { margin: 0; flex: 1; font-weight: 500; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
button { width: 100%; min-height: 3rem; margin-top: 1.5rem; padding: .65rem 1rem; border: 0;
  border-radius: .6rem; background: var(--act); color: var(--act-ink); font: inherit;
  font-weight: 600; cursor: pointer; }
button:hover { background: var(--act-deep); }
button.quiet { margin-top: .65rem; background: transparent; color: var(--act);
  border: 1px solid var(--field-edge); }
button.quiet:hover { border-color: var(--act); color: var(--act-deep); }
.hint { margin: .4rem 0 0; font-size: .875rem; color: var(--soft); }
.bad, .good { display: flex; gap: .65rem; margin: 1.15rem 0 0; padding: .75rem .85rem;
  border-radius: .6rem; font-size: .9375rem; color: var(--bad); background: var(--bad-page); }
.good { color: var(--good); background: var(--good-page); }
.bad svg, .good svg { flex: none; width: 1.25rem; height: 1.25rem; margin-top: .1rem; }
.key { margin: 1.25rem 0 0; text-align: center; }
.key svg { display: block; margin: 0 auto; width: 12.5rem; max-width: 100%; height: auto;
  padding: .7rem; background: #fff;
  border-radius: .75rem; border: 1px solid var(--edge); }
.key .hint { display: block; }
.key code { display: block; margin: .15rem 0 0; font: .9375rem/1.6 ui-monospace, "DejaVu Sans Mono",
  monospace; letter-spacing: .04em; overflow-wrap: anywhere; }
nav { margin-top: 1.5rem; padding-top: 1.15rem; border-top: 1px solid var(--edge); display: flex;
  flex-wrap: wrap; justify-content: space-between; gap: .35rem 1.25rem; font-size: .9375rem; }
a { color: var(--act); text-underline-offset: .2em; }
a:hover { color: var(--act-deep); }
nav a { display: inline-block; padding: .25rem 0; }
@media (max-width: 30rem) { body { place-items: start stretch; padding: 0;
    background: var(--card); }
  main { width: 100%; border: 0; border-radius: 0; box-shadow: none; padding: 1.75rem 1.25rem; } }
@media (forced-colors: active) { .brand b, button, .bad, .good { border: 1px solid; } }
"""
