// How large a drawing is shown, and where it is first looked at: where the call begins.
(() => {
  const frame = document.querySelector(".flow-frame");
  const drawing = frame && frame.querySelector("svg.flow");
  const sizes = document.getElementById("sizes");
  if (!drawing) return;
  const full = drawing.viewBox.baseVal;

  function show(share) {
    const x = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
    const y = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
    drawing.setAttribute("width", full.width * share);
    drawing.setAttribute("height", full.height * share);
    frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
  }

  sizes.hidden = false;
  sizes.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    for (const one of sizes.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === pressed));
    show(Number(pressed.dataset.share) || Math.min(frame.clientWidth / full.width, 1));
  });

  if (!location.hash) {
    const start = drawing.querySelector(".start").getBoundingClientRect(), at = frame.getBoundingClientRect();
    frame.scrollTop += start.top - at.top - 16;
  }
})();
