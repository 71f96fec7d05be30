"use strict";
(() => {
  const root = document.documentElement, all = (q, from = document) => [...from.querySelectorAll(q)];

  // Appearance: automatic, light, dark.
  const button = document.querySelector("button.theme");
  const kept = { get: () => { try { return localStorage.getItem("aiskills-theme"); } catch { return null; } },
    set: (v) => { try { localStorage.setItem("aiskills-theme", v); } catch { /* a page from disk may have no storage */ } } };
  const show = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", theme);
    button.textContent = button.dataset[theme];
  };
  let theme = ["light", "dark"].includes(kept.get()) ? kept.get() : "auto";
  show(theme);
  button.disabled = false; // without scripts it is not seen, but takes its room
  button.addEventListener("click", () => {
    theme = { auto: "dark", dark: "light", light: "auto" }[theme];
    kept.set(theme); show(theme);
  });

  // Tables that sort; rows of unknown value stay last.
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    all("thead th", table).forEach((head, column) => {
      const name = head.textContent, press = document.createElement("button");
      press.type = "button"; press.textContent = name; press.title = table.dataset.sort.replace("{}", name);
      head.replaceChildren(press);
      press.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : head.classList.contains("n");
        all("thead th", table).forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
        const compare = (a, b) => {
          const last = a.classList.contains("unknown") - b.classList.contains("unknown");
          if (last) return last;
          const [x, y] = [value(a), value(b)];
          if (x === "" || y === "") return (x === "") - (y === "");
          const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, root.lang) : x - y;
          return down ? -order : order;
        };
        body.append(...[...body.rows].sort(compare));
      });
    });
  }

  // The map: pointing at a region or reaching it by keyboard tells its figures and finds its row.
  const maps = document.querySelector(".maps");
  if (maps) {
    const told = maps.querySelector(".told"), hint = told.textContent, ring = maps.querySelector(".ring");
    const tell = (region) => {
      all("tr.chosen", maps).forEach((row) => row.classList.remove("chosen"));
      told.textContent = region ? region.getAttribute("aria-label") : hint;
      ring.setAttribute("d", region ? region.getAttribute("d") : ""); // above its neighbours
      if (region) maps.querySelector(`tr[data-region="${region.dataset.region}"]`)?.classList.add("chosen");
    };
    for (const region of all(".r", maps)) {
      for (const event of ["mouseenter", "focus", "click"]) region.addEventListener(event, () => tell(region));
      for (const event of ["mouseleave", "blur"]) region.addEventListener(event, () => tell(maps.querySelector(".r:focus")));
    }
    for (const choice of all("input[name=map]", maps)) {
      choice.addEventListener("change", () => maps.classList.toggle("by-count", choice.value === "count" && choice.checked));
    }
  }

  // Evidence: filter by theme and words, ten at a time.
  for (const sample of all(".sample")) {
    const tools = sample.querySelector(".tools"), more = sample.querySelector(".more"), status = sample.querySelector(".shown");
    const theme = tools.querySelector("select"), words = tools.querySelector("input"), articles = all("article", sample);
    let most = 10;
    const update = () => {
      const wanted = words.value.toLocaleLowerCase(root.lang);
      const fit = articles.filter((one) => (!theme.value || one.dataset.themes.split(" ").includes(theme.value))
        && one.textContent.toLocaleLowerCase(root.lang).includes(wanted));
      articles.forEach((one) => { one.hidden = true; });
      fit.slice(0, most).forEach((one) => { one.hidden = false; });
      status.textContent = status.dataset.text.replace("{}", Math.min(most, fit.length) + " / " + fit.length);
      more.hidden = fit.length <= most;
    };
    theme.addEventListener("change", () => { most = 10; update(); });
    words.addEventListener("input", () => { most = 10; update(); });
    more.addEventListener("click", () => { most += 10; update(); });
    tools.hidden = false;
    update();
  }
  window.addEventListener("beforeprint", () => all("article[hidden]").forEach((one) => { one.hidden = false; }));
})();
