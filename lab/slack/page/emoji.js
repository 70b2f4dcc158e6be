// Emoji by their short names: the common ones. An unknown name stays as it was typed.

const TABLE = `
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️ no_entry ⛔
no_entry_sign 🚫 octagonal_sign 🛑 stop_sign 🛑 rotating_light 🚨 hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ alarm_clock ⏰ clock1 🕐
arrows_counterclockwise 🔄 repeat 🔁 arrow_up ⬆️ arrow_down ⬇️ arrow_right ➡️ arrow_left ⬅️ leftwards_arrow_with_hook ↩️ arrow_forward ▶️ double_vertical_bar ⏸️
pause_button ⏸️ fast_forward ⏩ rewind ⏪ black_square_for_stop ⏹️ rocket 🚀 tada 🎉 sparkles ✨ fire 🔥 boom 💥 zap ⚡ star ⭐
eyes 👀 thinking_face 🤔 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 ok_hand 👌 clap 👏 raised_hands 🙌 pray 🙏 muscle 💪 wave 👋
point_right 👉 point_left 👈 point_up ☝️ point_down 👇 raised_hand ✋ hand ✋ smile 😄 smiley 😃 grinning 😀 slightly_smiling_face 🙂
simple_smile 🙂 wink 😉 joy 😂 laughing 😆 sweat_smile 😅 sob 😭 cry 😢 disappointed 😞 confused 😕 scream 😱 sunglasses 😎 heart ❤️
broken_heart 💔 100 💯 bug 🐛 wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️ nut_and_bolt 🔩 lock 🔒 unlock 🔓 key 🔑
closed_lock_with_key 🔐 shield 🛡️ bell 🔔 no_bell 🔕 loudspeaker 📢 mega 📣 speech_balloon 💬 mag 🔍 mag_right 🔎 bulb 💡 memo 📝 pencil 📝
pencil2 ✏️ clipboard 📋 pushpin 📌 round_pushpin 📍 paperclip 📎 link 🔗 calendar 📅 date 📅 bar_chart 📊 chart_with_upwards_trend 📈
chart_with_downwards_trend 📉 package 📦 inbox_tray 📥 outbox_tray 📤 floppy_disk 💾 cd 💿 desktop_computer 🖥️ computer 💻 satellite 📡
electric_plug 🔌 battery 🔋 moneybag 💰 dollar 💵 money_with_wings 💸 balance_scale ⚖️ scales ⚖️ construction 🚧 ambulance 🚑
fire_engine 🚒 ship 🚢 anchor ⚓ otter 🦦 elephant 🐘 turtle 🐢 snail 🐌 whale 🐳 cat 🐱 dog 🐶 seedling 🌱 evergreen_tree 🌲 sunny ☀️ cloud ☁️
snowflake ❄️ rainbow 🌈 coffee ☕ beer 🍺 beers 🍻 cake 🍰 pizza 🍕 question ❓ grey_question ❔ exclamation ❗ heavy_exclamation_mark ❗
information_source ℹ️ bangbang ‼️ heavy_plus_sign ➕ heavy_minus_sign ➖ red_circle 🔴 large_orange_circle 🟠 large_yellow_circle 🟡
large_green_circle 🟢 large_blue_circle 🔵 large_purple_circle 🟣 white_circle ⚪ black_circle ⚫ large_red_square 🟥 large_orange_square 🟧
large_yellow_square 🟨 large_green_square 🟩 large_blue_square 🟦 white_large_square ⬜ black_large_square ⬛ white_small_square ▫️
small_blue_diamond 🔹 small_orange_diamond 🔸 large_blue_diamond 🔷 one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣
ten 🔟 zero 0️⃣ robot_face 🤖 ghost 👻 skull 💀 no_good 🙅 shrug 🤷 facepalm 🤦 technologist 🧑‍💻 crystal_ball 🔮 test_tube 🧪 camera 📷
camera_with_flash 📸 frame_with_picture 🖼️ bookmark 🔖 label 🏷️ scroll 📜 page_facing_up 📄 file_folder 📁 card_file_box 🗃️ wastebasket 🗑️
back 🔙 end 🔚 soon 🔜 new 🆕 ok 🆗 up 🆙 sos 🆘 vertical_traffic_light 🚦 checkered_flag 🏁 triangular_flag_on_post 🚩 white_flag 🏳️`;

const words = TABLE.trim().split(/\s+/);
export const EMOJI = new Map();
for (let place = 0; place < words.length; place += 2) EMOJI.set(words[place], words[place + 1]);
