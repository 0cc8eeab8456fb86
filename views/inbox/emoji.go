package inbox

import "strings"

// emoji are the common ones, in the order of the picker. Their names are in the catalogs under "emoji." and the
// character itself.
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
