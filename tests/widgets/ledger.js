// `stillOpen()`: what the scripts of this page listen to, observe or wait for and have not given back.
// A classic script that runs before all others. Only what a widget does is counted: its module is
// a Blob URL, which shows in the stack; the runtime and the browser's driver are none of its business.
(() => {
  const byWidget = () => new Error().stack.includes("blob:");
  const held = [];
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, act, options) {
    if (byWidget()) held.push([this, type, act]);
    return add.call(this, type, act, options);
  };
  EventTarget.prototype.removeEventListener = function (type, act, options) {
    const at = held.findIndex((entry) => entry[0] === this && entry[1] === type && entry[2] === act);
    if (at >= 0) held.splice(at, 1);
    return remove.call(this, type, act, options);
  };

  const observers = new Set();
  window.ResizeObserver = class extends ResizeObserver {
    observe(...what) {
      if (byWidget()) observers.add(this);
      super.observe(...what);
    }
    disconnect() {
      observers.delete(this);
      super.disconnect();
    }
  };

  const waiting = new Set();
  const watch = (ask, cancel) => {
    const [asked, cancelled] = [window[ask], window[cancel]];
    window[ask] = (act, ...rest) => {
      const done = (...given) => {
        waiting.delete(name);
        act(...given);
      };
      const id = asked.call(window, done, ...rest);
      const name = `${ask} ${id}`;
      if (byWidget()) waiting.add(name);
      return id;
    };
    window[cancel] = (id) => {
      waiting.delete(`${ask} ${id}`);
      cancelled.call(window, id);
    };
  };
  watch("requestAnimationFrame", "cancelAnimationFrame");
  watch("setTimeout", "clearTimeout");

  window.stillOpen = () => [
    ...held.map(([target, type]) => `${target.constructor.name} ${type}`),
    ...[...observers].map(() => "ResizeObserver"),
    ...waiting,
  ];
})();
