"""The only script of a page: a box that finds rows of a long table by their names."""

from base64 import b64encode
from hashlib import sha256
from html import escape

FIRST = 20  # rows that are shown until one looks for others

_SCRIPT = f"""
for (const find of document.querySelectorAll(".find")) {{
  const [box, state, all] = find.querySelectorAll("input, span, button");
  const rows = [...find.nextElementSibling.querySelectorAll("tbody tr")];
  let whole = false;
  const show = () => {{
    const word = box.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, place) => {{
      const named = row.cells[0].textContent.toLowerCase().includes(word);
      row.hidden = word ? !named : !whole && place >= {FIRST};
      shown += !row.hidden;
    }});
    state.textContent = `${{shown}} of ${{rows.length}} shown`;
    all.hidden = whole || word !== "";
  }};
  box.addEventListener("input", show);
  all.addEventListener("click", () => {{ whole = true; show(); }});
  find.hidden = false;
  show();
}}
"""
_DIGEST = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
_BOX = '<div class="find" hidden>'  # until the script runs


def search_box(count: int, what: str) -> str:
    """A box above a table of `count` rows; nothing above a short one.

    Args:
        count: of the rows, of which the first are shown until one looks for others.
        what: one of them is.
    """
    if count <= FIRST:
        return ""
    what = escape(what)
    return (
        f'{_BOX}<input type="search" aria-label="Find a {what}" '
        f'placeholder="Find a {what}" /> <span role="status"></span> '
        f'<button type="button">Show all {count:,}</button></div>'
    )


def script_of(body: str) -> tuple[str, str]:
    """What a page with `body` runs, and the policy that lets it; nothing for most."""
    if _BOX not in body:
        return "", ""
    return f"<script>{_SCRIPT}</script>\n", f"; script-src 'sha256-{_DIGEST}'"
