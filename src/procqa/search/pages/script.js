"use strict";
// What the page gains with a script: keys, a state while a search runs, and buttons that copy. It works without.
const box = document.querySelector("#q");
const form = box && box.form;
const hits = [...document.querySelectorAll(".hits > li > article")];
let current = -1;

function typing(target) {
  return target.closest("input, textarea, select, button, a, summary, [contenteditable]") !== null;
}

function show(place) {
  if (place < 0 || place >= hits.length) return;
  current = place;
  const heading = hits[place].querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({preventScroll: true});
  hits[place].scrollIntoView({block: "start"});
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === box && event.key === "Escape") return box.blur();
  if (typing(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j") {
    show(current + 1);
  } else if (event.key === "k") {
    show(current - 1);
  } else if (event.key === "o" && current >= 0) {
    const link = hits[current].querySelector("h2 a");
    if (link) link.click();
  }
});

if (box) {
  // Enter asks, Shift+Enter begins a line; a query of several lines, as pasted code is, takes Ctrl+Enter.
  box.addEventListener("keydown", (event) => {
    const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing && !box.value.includes("\n");
    if (plain || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", () => {
    document.body.classList.add("waiting");
    form.querySelector("button[type=submit]").textContent = "Searching…";
    document.querySelector("#state").textContent = "Searching…";
  });
  // A page that comes back from the history is not waiting.
  window.addEventListener("pageshow", () => {
    document.body.classList.remove("waiting");
    form.querySelector("button[type=submit]").textContent = "Search";
    document.querySelector("#state").textContent = "";
  });
}

for (const block of document.querySelectorAll("pre.code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  const holder = document.createElement("div");
  holder.className = "holder";
  block.replaceWith(holder);
  holder.append(block, button);
}
