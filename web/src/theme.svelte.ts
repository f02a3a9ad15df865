export type ThemeName = 'auto' | 'light' | 'dark'

const key = 'carbongraph.theme'

/** The chosen colours. theme.js applies them before the first paint; this changes them. */
class Theme {
  #name = $state<ThemeName>((document.documentElement.dataset.theme as ThemeName | undefined) ?? 'auto')

  get name(): ThemeName {
    return this.#name
  }

  set name(name: ThemeName) {
    this.#name = name
    if (name === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = name
    try {
      if (name === 'auto') localStorage.removeItem(key)
      else localStorage.setItem(key, name)
    } catch {
      // Storage is closed to this page: the choice holds until it is left.
    }
  }
}

export const theme = new Theme()
