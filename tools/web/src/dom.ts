// The little of the DOM that the page needs more than once.

export function by_id<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`no element ${id}`)
  return element as T
}

type Child = Node | string

/** An element with attributes and children. Text is always text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Terms and descriptions, for a <dl>. */
export function terms(pairs: [string, Child][]): HTMLElement[] {
  return pairs.map(([term, description]) => make('div', {}, make('dt', {}, term), make('dd', {}, description)))
}

/** A class name with places to break it, since some are longer than a narrow window is wide. */
export function breakable(label: string): DocumentFragment {
  const fragment = document.createDocumentFragment()
  for (const part of label.split(/(?<=[-_])/)) fragment.append(part, make('wbr'))
  return fragment
}

export const radios = (name: string): HTMLInputElement[] => [
  ...document.querySelectorAll<HTMLInputElement>(`input[type=radio][name=${name}]`),
]

export const chosen = (name: string): string => radios(name).find((r) => r.checked)?.value ?? ''
