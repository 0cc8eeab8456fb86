package inbox

import "strings"

// Emoji lists the common ones, in the order of the picker. Their names are in the catalogs under "emoji." and the
// character itself.
func Emoji() []string { return emoji }

var emoji = strings.Fields(
	"😀 😃 😄 😁 😅 😂 🙂 🙃 😉 😊 😇 😍 " +
		"😘 😋 😎 🤓 🤔 🤗 🤩 🥳 😐 😌 😏 🙄 " +
		"😴 😷 🤒 😕 😟 😢 😭 😤 😡 😱 😳 🥺 " +
		"👍 👎 👌 ✌️ 🤞 👏 🙌 🙏 🤝 💪 👋 ✋ " +
		"👉 👇 ❤️ 💙 💚 💛 💔 ✨ ⭐ 🔥 🎉 🎂 " +
		"🎁 🌞 🌧️ ❄️ 🌹 🌲 ☕ 🍽️ 🍕 🍷 🏠 🏢 " +
		"🏥 🛒 📦 🚚 🚗 🚲 ✈️ 🚆 ⏰ 📅 📍 📞 " +
		"📱 💻 📧 📄 📎 ✏️ 🔑 🔒 🔧 💡 💳 💰 " +
		"🧾 ✅ ❌ ❓ ❗ ⚠️ ℹ️ 🔄 ⬆️ ⬇️ ➡️ 🇳🇴",
)
