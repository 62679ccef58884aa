// Zoom and pan of a card's drawing. The drawing scrolls in its frame, so that arrows, a touch
// and the scroll bars move it as they move any page.
(() => {
  "use strict";
  const LEAST = 0.1, MOST = 8, STEP = 1.25;
  const clamp = (value) => Math.min(MOST, Math.max(LEAST, value));

  for (const frame of document.querySelectorAll(".card .scroll")) {
    const svg = frame.querySelector("svg.graph");
    const buttons = [...frame.previousElementSibling.querySelectorAll("button")];
    const { width, height } = svg.viewBox.baseVal;
    let scale = 1, drag = null;

    // The point of the drawing under (x, y) of the frame stays where it is.
    const zoom = (wanted, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
      const before = scale;
      scale = clamp(wanted);
      if (!frame.style.height && scale > before && !document.fullscreenElement)
        frame.style.height = frame.offsetHeight + "px"; // the page does not jump
      const left = (frame.scrollLeft + x) * (scale / before) - x;
      const top = (frame.scrollTop + y) * (scale / before) - y;
      svg.setAttribute("width", width * scale);
      svg.setAttribute("height", height * scale);
      frame.scrollTo(left, top);
      frame.dataset.scale = scale;
      buttons[1].textContent = Math.round(100 * scale) + " %";
      return scale !== before;
    };
    const reset = () => {
      zoom(1);
      frame.style.height = "";
    };
    const fit = () => zoom(Math.min(frame.clientWidth / width, frame.clientHeight / height));
    const actions = {
      in: () => zoom(scale * STEP),
      out: () => zoom(scale / STEP),
      whole: reset,
      fit,
      full: () => frame.requestFullscreen().then(fit, () => {}), // a frame may forbid it
    };
    for (const button of buttons) button.addEventListener("click", actions[button.dataset.zoom]);

    const KEYS = { "+": "in", "=": "in", "-": "out", "0": "whole", f: "full" };
    frame.addEventListener("keydown", (event) => {
      const action = actions[KEYS[event.key]];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
    // The wheel moves the page, until the drawing was clicked or Ctrl is held.
    frame.addEventListener("wheel", (event) => {
      const meant = event.ctrlKey || document.fullscreenElement === frame || frame.contains(document.activeElement);
      if (!meant || !event.deltaY) return;
      const at = frame.getBoundingClientRect();
      const changed = zoom(scale * STEP ** (-Math.sign(event.deltaY)), event.clientX - at.left, event.clientY - at.top);
      if (changed || event.ctrlKey) event.preventDefault();
    }, { passive: false });

    frame.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") return;
      drag = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, moved: false };
    });
    frame.addEventListener("pointermove", (event) => {
      if (!drag || !event.buttons) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      if (!drag.moved && event.isTrusted) frame.setPointerCapture(event.pointerId);
      drag.moved = true;
      frame.classList.add("dragged");
      frame.scrollTo(drag.left - dx, drag.top - dy);
    });
    const drop = () => frame.classList.remove("dragged");
    frame.addEventListener("pointerup", drop);
    frame.addEventListener("pointercancel", drop);
    frame.addEventListener("click", (event) => {
      if (drag && drag.moved) event.stopPropagation(); // the end of a drag pins nothing
      drag = null;
    }, true);
    buttons[1].textContent = "100 %";
  }
  const panel = document.getElementById("panel");
  document.addEventListener("fullscreenchange", () => {
    (document.fullscreenElement || document.body).append(panel); // else it would lie behind
  });
})();
