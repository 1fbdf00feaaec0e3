(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const [tools, filter, shown] = ["tools", "filter", "shown"].map(byId);
  const entries = Array.from(document.querySelectorAll("[data-entry]"));
  const blocks = Array.from(document.querySelectorAll("[data-block]"));
  const folds = Array.from(document.querySelectorAll("main details"));
  const chips = Array.from(tools.querySelectorAll(".chip"));
  const texts = new Map(entries.map((entry) => [entry, entry.textContent.toLowerCase()]));
  let before = null;

  // While something is filtered, what matches is unfolded; afterwards, everything is folded as it was.
  const unfold = (isFiltered) => {
    if (isFiltered && !before) before = new Map(folds.map((fold) => [fold, fold.open]));
    if (!isFiltered && before) {
      before.forEach((open, fold) => { fold.open = open; });
      before = null;
    }
    if (isFiltered) blocks.forEach((block) => { if (block.tagName === "DETAILS") block.open = true; });
  };

  const update = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const pressed = (group) => chips.filter((chip) => chip.dataset.group === group && chip.ariaPressed === "true").map((chip) => chip.dataset.value);
    const [risks, operations] = [pressed("risk"), pressed("operation")];
    const isFiltered = words.length + risks.length + operations.length > 0;
    let count = 0;
    for (const entry of entries) {
      const own = (entry.dataset.risk || "").split(" ");
      const matches = words.every((word) => texts.get(entry).includes(word))
        && (risks.length === 0 || risks.some((risk) => own.includes(risk)))
        && (operations.length === 0 || operations.includes(entry.dataset.operation));
      entry.hidden = !matches;
      if (matches) count += 1;
    }
    for (const block of blocks) block.hidden = isFiltered && !block.querySelector("[data-entry]:not([hidden])");
    unfold(isFiltered);
    shown.textContent = isFiltered ? `${count} of ${entries.length}` : "";
  };

  const fold = (open) => {
    before = null;
    folds.forEach((one) => { one.open = open; });
  };

  filter.addEventListener("input", update);
  chips.forEach((chip) => chip.addEventListener("click", () => {
    chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
    update();
  }));
  byId("expand").addEventListener("click", () => fold(true));
  byId("collapse").addEventListener("click", () => fold(false));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && document.activeElement !== filter) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === "Escape" && (filter.value || chips.some((chip) => chip.ariaPressed === "true"))) {
      filter.value = "";
      chips.forEach((chip) => { chip.ariaPressed = "false"; });
      update();
    }
  });
  let printed = null;
  addEventListener("beforeprint", () => {
    printed = folds.map((one) => one.open);
    folds.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    if (printed) folds.forEach((one, at) => { one.open = printed[at]; });
    printed = null;
  });
  tools.hidden = entries.length === 0;
})();
