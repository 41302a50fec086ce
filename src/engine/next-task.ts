/**
 * Resolves in a task of its own: promises that are settled have been followed up, and what waited, such as a click or a
 * message, has had its turn. Unlike with a timer nothing is waited for, also in a hidden tab.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
