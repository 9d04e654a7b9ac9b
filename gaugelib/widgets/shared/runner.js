// Going on by itself, from place to place up to the last; at once where the reader asks for no motion.

import { say, prefersStillness } from "./dom.js";
import { button } from "./controls.js";

/**
 * A button "Run" that goes on every `pace` milliseconds, by `go(place)` from the place `at()` to `last`, and anew from 0 if it
 * stands there; it pauses when it is pressed again. `last` is a number, or a function where it changes. `stop()` is for whatever
 * else moves the place, `start()` for what sets it going from there, `set()` shows the state.
 */
export function runner(life, { pace, last, at, go }) {
  let running = false;
  const end = () => (typeof last === "function" ? last() : last);
  const tick = life.whenQuiet(() => {
    if (!running) return;
    go(at() + 1);
    if (at() < end()) tick();
    else stop();
  }, pace);
  const { root } = button(life, { caption: "Run", act: toggle });
  function stop() {
    running = false;
    set();
  }
  function toggle() {
    if (running) return stop();
    if (prefersStillness()) return go(end());
    running = true;
    if (at() === end()) go(0);
    set();
    return tick();
  }
  function set() {
    say(root, running ? "Pause" : "Run");
    root.toggleAttribute("disabled", !running && at() === end() && prefersStillness());
  }
  return { root, set, stop, start: () => running || toggle() };
}
