// Opens a row of a table where it stands; without scripts its link leads to a page of its own.

for (const link of document.querySelectorAll("a[data-expand]")) {
  const row = document.getElementById(link.dataset.expand);
  link.setAttribute("role", "button");
  link.setAttribute("aria-expanded", "false");
  link.setAttribute("aria-controls", row.id);
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    toggle(link, row);
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle(link, row);
  });
}

async function toggle(link, row) {
  row.hidden = !row.hidden;
  link.setAttribute("aria-expanded", String(!row.hidden));
  const cell = row.cells[0];
  if (row.hidden || cell.dataset.loaded) return;
  cell.textContent = "Loading…";
  try {
    const answer = await fetch(link.href, { headers: { "X-Tieout-Part": "1" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    cell.innerHTML = await answer.text();
    cell.dataset.loaded = "yes";
  } catch {
    location.assign(link.href);
  }
}
