// Tells Python which row of the table beside it was opened and which header was clicked. The table itself is plain HTML:
// until this has loaded, and with Ctrl or the middle button, a row's link opens its own address.
export default function ({ parentElement, setTriggerValue }) {
  const table = parentElement.closest("[class*=st-key-wb-table-]");

  const onClick = (event) => {
    const { opens, sorts } = event.target.closest("[data-opens], [data-sorts]")?.dataset ?? {};
    if (sorts) setTriggerValue("sorted", sorts);
    if (!opens || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("opened", opens);
  };

  // One stop for the Tab key; the arrow keys go from row to row.
  const onKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const rows = [...table.querySelectorAll("[data-opens]")];
    const next = step && rows[rows.indexOf(event.target) + step];
    if (!next || !rows.includes(event.target)) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };

  table.addEventListener("click", onClick);
  table.addEventListener("keydown", onKey);
  return () => {
    table.removeEventListener("click", onClick);
    table.removeEventListener("keydown", onKey);
  };
}
