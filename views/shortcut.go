package views

import (
	"context"

	"kanal/views/i18n"
)

// shortcut is one line of the list of keys: what static/js/keys.js and composer.js do.
type shortcut struct {
	keys  []string
	then  bool // one after the other, not together
	label string
}

func (s shortcut) joint(ctx context.Context) string {
	if s.then {
		return i18n.T(ctx, "keys.then")
	}
	return "+"
}

func shortcutKeys(p Page) []shortcut {
	list := []shortcut{{keys: []string{"?"}, label: "keys.help"}, {keys: []string{"G", "I"}, then: true, label: "keys.inbox"}}
	if p.Rail.ShowAdmin {
		list = append(list, shortcut{keys: []string{"G", "A"}, then: true, label: "keys.admin"})
	}
	list = append(list,
		shortcut{keys: []string{"J"}, label: "keys.next"},
		shortcut{keys: []string{"K"}, label: "keys.previous"},
		shortcut{keys: []string{"N"}, label: "keys.take"},
		shortcut{keys: []string{"R"}, label: "keys.reply"},
		shortcut{keys: []string{"E"}, label: "keys.resolve"},
		shortcut{keys: []string{"A"}, label: "keys.assign"},
		shortcut{keys: []string{"F6"}, label: "keys.panes"},
	)
	if p.EnterNewline {
		return append(list,
			shortcut{keys: []string{"Enter"}, label: "keys.new_line"},
			shortcut{keys: []string{"Ctrl", "Enter"}, label: "keys.send"},
			shortcut{keys: []string{"Esc"}, label: "keys.escape"})
	}
	return append(list,
		shortcut{keys: []string{"Enter"}, label: "keys.send"},
		shortcut{keys: []string{"Shift", "Enter"}, label: "keys.new_line"},
		shortcut{keys: []string{"Ctrl", "Enter"}, label: "keys.send_always"},
		shortcut{keys: []string{"Esc"}, label: "keys.escape"})
}
