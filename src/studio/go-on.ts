/**
 * Whether work that was cut short may go on by itself. Not twice from the same place: what ended the page the first time may
 * do so again, and the editor must be able to get in.
 * @param key names the kind of work
 * @param place how far it had come
 */
export function mayGoOn(key: string, place: string): boolean {
  const may = localStorage.getItem(key) !== place;
  localStorage.setItem(key, place);
  return may;
}
