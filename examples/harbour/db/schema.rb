ActiveRecord::Schema[7.1].define(version: 2024_11_18_093012) do
  enable_extension "plpgsql"

  create_table "berths", force: :cascade do |t|
    t.string "name", null: false
    t.string "pier", null: false
    t.string "colour"
    t.string "features"
    t.text "welcome_text"
    t.decimal "length_m", precision: 5, scale: 2, null: false
    t.decimal "day_rate", precision: 8, scale: 2, null: false
    t.string "status", default: "open", null: false
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["pier", "name"], name: "index_berths_on_pier_and_name", unique: true
  end

  create_table "bookings", force: :cascade do |t|
    t.bigint "user_id", null: false
    t.bigint "vessel_id", null: false
    t.bigint "berth_id", null: false
    t.date "starts_on", null: false
    t.date "ends_on", null: false
    t.integer "crew_count", default: 1, null: false
    t.string "status", default: "requested", null: false
    t.string "gate_code"
    t.text "note"
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["berth_id", "starts_on"], name: "index_bookings_on_berth_id_and_starts_on"
    t.index ["user_id"], name: "index_bookings_on_user_id"
  end

  create_table "documents", force: :cascade do |t|
    t.bigint "user_id", null: false
    t.bigint "vessel_id", null: false
    t.string "title", null: false
    t.string "filename", null: false
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["vessel_id"], name: "index_documents_on_vessel_id"
  end

  create_table "invoices", force: :cascade do |t|
    t.bigint "user_id", null: false
    t.bigint "booking_id", null: false
    t.string "number", null: false
    t.string "title"
    t.text "note"
    t.text "billing_address"
    t.decimal "total", precision: 10, scale: 2, null: false
    t.datetime "paid_at"
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["number"], name: "index_invoices_on_number", unique: true
  end

  create_table "messages", force: :cascade do |t|
    t.bigint "user_id", null: false
    t.bigint "recipient_id", null: false
    t.string "subject", null: false
    t.text "body"
    t.boolean "archived", default: false, null: false
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
  end

  create_table "tariffs", force: :cascade do |t|
    t.string "name", null: false
    t.string "formula", null: false
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
  end

  create_table "users", force: :cascade do |t|
    t.string "name", null: false
    t.string "email", null: false
    t.string "password_digest", null: false
    t.string "role", default: "skipper", null: false
    t.string "api_token"
    t.string "reset_token"
    t.datetime "reset_sent_at"
    t.string "remember_token"
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["email"], name: "index_users_on_email", unique: true
  end

  create_table "vessels", force: :cascade do |t|
    t.bigint "user_id", null: false
    t.string "name", null: false
    t.string "registration"
    t.string "website"
    t.string "club_page"
    t.decimal "length_m", precision: 5, scale: 2
    t.datetime "created_at", null: false
    t.datetime "updated_at", null: false
    t.index ["user_id"], name: "index_vessels_on_user_id"
  end

  add_foreign_key "bookings", "berths"
  add_foreign_key "bookings", "users"
  add_foreign_key "bookings", "vessels"
  add_foreign_key "documents", "vessels"
  add_foreign_key "invoices", "bookings"
  add_foreign_key "vessels", "users"
end
