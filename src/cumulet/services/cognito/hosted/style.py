"""How the sign-in pages look: one sheet, in light and dark, without anything from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --ink: #16202c; --soft: #5b6775; --line: #cfd6de;
  --page: #f2f5f8; --card: #fff; --act: #0b5cab; --act-ink: #fff; --bad: #a3161d; --good: #17663a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #a3afbd; --line: #3a4756;
  --page: #10171f; --card: #19232e; --act: #6cb2f7; --act-ink: #0b1118; --bad: #ff9b9b;
  --good: #7fd6a2; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { width: min(26rem, 100%); background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; padding: 2rem 1.75rem; box-shadow: 0 8px 30px rgb(10 20 30 / .08); }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: .25rem 0 1rem; color: var(--soft); }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
input { width: 100%; padding: .65rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--soft); border-radius: .45rem; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--act);
  outline-offset: 2px; }
button { width: 100%; margin-top: 1.5rem; padding: .75rem; border: 0; border-radius: .45rem;
  background: var(--act); color: var(--act-ink); font: inherit; font-weight: 600;
  cursor: pointer; }
button:hover { filter: brightness(1.08); }
.hint { font-size: .875rem; margin: .3rem 0 0; }
.bad, .good { border-left: 4px solid; padding: .5rem .75rem; margin: 1rem 0 0; color: var(--bad); }
.good { color: var(--good); }
nav { margin-top: 1.25rem; display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; }
a { color: var(--act); }
"""
