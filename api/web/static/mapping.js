// Accounts are dragged onto cost codes, or picked up and placed by keyboard. The list of each code stays what is sent.

const form = document.querySelector("form[data-mapping]");
if (form) edit(form);

function edit(form) {
  const targets = [...form.querySelectorAll("[data-target]")];
  const accounts = [...form.querySelectorAll("[data-account]")];
  const told = form.querySelector("[data-told]");
  let picked = null;
  let isSaving = false;

  for (const each of form.querySelectorAll("[data-take], [data-with-script], [data-narrow]")) each.hidden = false;
  const takeAll = form.querySelector("[data-take-all]");
  if (takeAll) takeAll.hidden = form.querySelector("[data-take]") === null;

  function put(target, account) {
    const list = target.querySelector("select");
    if (!list || ![...list.options].some((each) => each.value === account)) return;
    list.value = account;
    changed(target);
  }

  function changed(target) {
    const list = target.querySelector("select");
    const before = [...list.options].find((each) => each.defaultSelected)?.value ?? "";
    target.classList.toggle("touched", list.value !== before);
    const count = form.querySelectorAll(".touched").length;
    told.textContent = count ? `${count} changed on this page, not saved yet` : "";
  }

  function pick(button) {
    picked = picked === button ? null : button;
    for (const each of accounts) each.setAttribute("aria-pressed", String(each === picked));
    for (const target of targets) target.querySelector("[data-place]").hidden = picked === null;
    told.textContent = picked ? `${picked.firstChild.textContent.trim()} is picked up; place it at a cost code` : "";
  }

  for (const button of accounts) {
    button.addEventListener("click", () => pick(button));
    button.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/plain", button.dataset.account);
      event.dataTransfer.effectAllowed = "copy";
    });
  }

  for (const target of targets) {
    const list = target.querySelector("select");
    if (!list) continue;
    list.addEventListener("change", () => changed(target));
    target.querySelector("[data-place]").addEventListener("click", () => {
      put(target, picked.dataset.account);
      pick(picked);
      list.focus();
    });
    target.querySelector("[data-take]")?.addEventListener("click", (event) => {
      put(target, event.currentTarget.dataset.take);
      list.focus();
    });
    target.addEventListener("dragover", (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      target.classList.add("over");
    });
    target.addEventListener("dragleave", (event) => {
      if (!target.contains(event.relatedTarget)) target.classList.remove("over");
    });
    target.addEventListener("drop", (event) => {
      event.preventDefault();
      target.classList.remove("over");
      put(target, event.dataTransfer.getData("text/plain"));
    });
  }

  takeAll?.addEventListener("click", () => {
    for (const target of targets) {
      const take = target.querySelector("[data-take]");
      if (take && target.querySelector("select").value === "") put(target, take.dataset.take);
    }
  });

  form.querySelector("[data-narrow]")?.addEventListener("input", (event) => {
    const wanted = event.currentTarget.value.toLowerCase();
    for (const each of accounts) each.parentElement.hidden = !each.textContent.toLowerCase().includes(wanted);
  });
  form.querySelector("[data-narrow]")?.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });

  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && picked) pick(picked);
  });
  form.addEventListener("submit", () => { isSaving = true; });
  addEventListener("beforeunload", (event) => {
    if (!isSaving && form.querySelector(".touched")) event.preventDefault();
  });
}
