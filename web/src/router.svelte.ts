/** Where the address bar stands. Everything a page shows follows from it. */
class Route {
  path = $state(location.pathname)
  search = $state(location.search)
  hash = $state(location.hash)

  /** Goes to an address of this console as a new entry of the history. */
  go(address: string): void {
    history.pushState(null, '', address)
    this.read()
  }

  /** Rewrites the address in place, for state that is not worth a step back. */
  replace(address: string): void {
    history.replaceState(null, '', address)
    this.read()
  }

  read(): void {
    this.path = location.pathname
    this.search = location.search
    this.hash = location.hash
  }
}

export const route = new Route()

/** Follows the browser's own steps, and links of this console without a reload. Returns what undoes it. */
export function follow(): () => void {
  const step = () => route.read()
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || link.origin !== location.origin || link.target !== '' || !isPage(link.pathname)) return
    event.preventDefault()
    route.go(link.pathname + link.search + link.hash)
  }
  addEventListener('popstate', step)
  addEventListener('hashchange', step)
  document.addEventListener('click', click)
  return () => {
    removeEventListener('popstate', step)
    removeEventListener('hashchange', step)
    document.removeEventListener('click', click)
  }
}

/** The addresses that this program draws; the server answers them with the page. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/explore' || path === '/sign-in'
}
