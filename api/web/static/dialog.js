// Opens a page's answer in a dialog over the list; without scripts, or where that fails, the link leads to the page.

const over = document.getElementById("over");

for (const link of document.querySelectorAll("a[data-dialog]")) {
  link.addEventListener("click", (event) => {
    if (!over || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });
}

async function open(link) {
  try {
    const answer = await fetch(link.href, { headers: { "X-Tieout-Part": "1" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const inside = document.createElement("div");
    inside.className = "card";
    inside.innerHTML = await answer.text();
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet small close";
    close.textContent = "Close";
    close.addEventListener("click", () => over.close());
    inside.prepend(close);
    over.replaceChildren(inside);
    over.addEventListener("close", () => link.focus(), { once: true });
    over.showModal();
  } catch {
    location.assign(link.href);
  }
}
