use super::*;
use crate::inflect::singular;

fn read(files: &[(&str, &str)], texts: &[(&str, &str)]) -> Schema {
    let trees: Vec<_> =
        files.iter().map(|(path, source)| (*path, wardroom_ruby::parse(source.as_bytes()).body)).collect();
    let ruby: Vec<_> = trees.iter().enumerate().map(|(i, (path, node))| (i as u32, *path, node)).collect();
    Schema::read(&ruby, texts)
}

fn names(schema: &Schema, table: &str) -> Vec<String> {
    schema.tables[table].keys().cloned().collect()
}

#[test]
fn schema_rb_new_and_old() {
    let schema = read(
        &[(
            "db/schema.rb",
            r#"
ActiveRecord::Schema[7.1].define(version: 2025_04_02_175205) do
  create_table "users", charset: "utf8mb4", force: :cascade do |t|
    t.string "name", limit: 191, null: false
    t.bigint "team_id"
    t.boolean "admin", default: false
    t.jsonb "settings"
    t.decimal "balance", precision: 10
    t.inet "address"
    t.virtual "full", type: :text, as: "x"
    t.datetime "created_at", precision: nil
    t.index ["name"], name: "index_users_on_name"
  end
  create_table "tags_users", :id => false do |t|
    t.column "tag_id", :integer, :null => false
  end
  create_table "docs", id: :uuid do |t|
    t.binary "body"
  end
  create_table "codes", primary_key: "code", id: :string do |t|
  end
  add_foreign_key "users", "teams"
end
"#,
        )],
        &[],
    );
    assert_eq!(schema.tables.len(), 4);
    let column = |t, c| schema.column(t, c);
    assert_eq!(column("users", "id"), Some(ColumnType::Integer));
    assert_eq!(column("users", "name"), Some(ColumnType::String));
    assert_eq!(column("users", "team_id"), Some(ColumnType::Integer));
    assert_eq!(column("users", "admin"), Some(ColumnType::Boolean));
    assert_eq!(column("users", "settings"), Some(ColumnType::Json));
    assert_eq!(column("users", "balance"), Some(ColumnType::Float));
    assert_eq!(column("users", "address"), Some(ColumnType::Other));
    assert_eq!(column("users", "full"), Some(ColumnType::Text));
    assert_eq!(column("users", "created_at"), Some(ColumnType::Time));
    assert_eq!(schema.tables["users"].len(), 9);
    assert_eq!(names(&schema, "tags_users"), ["tag_id"]);
    assert_eq!(column("docs", "id"), Some(ColumnType::Uuid));
    assert_eq!(names(&schema, "codes"), ["code"]);
    assert_eq!(column("codes", "code"), Some(ColumnType::String));
}

#[test]
fn a_mysql_dump() {
    let schema = Schema::from_sql(
        "/*!40101 SET character_set_client = utf8 */;\nCREATE TABLE `orders` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `key` varchar(255) DEFAULT 'a,(b',\n  `paid` tinyint(1) DEFAULT '0',\n  `state` enum('new','it''s') NOT NULL,\n  `price` decimal(10,2) DEFAULT NULL COMMENT 'x',\n  `body` mediumtext,\n  PRIMARY KEY (`id`),\n  KEY `index_orders_on_key` (`key`),\n  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `x` (`id`)\n) ENGINE=InnoDB;\nCREATE TABLE `next` (\n  `a` datetime(6)\n);\n",
    );
    assert_eq!(schema.tables["orders"].len(), 6);
    assert_eq!(schema.column("orders", "key"), Some(ColumnType::String));
    assert_eq!(schema.column("orders", "paid"), Some(ColumnType::Boolean));
    assert_eq!(schema.column("orders", "state"), Some(ColumnType::Enum));
    assert_eq!(schema.column("orders", "price"), Some(ColumnType::Float));
    assert_eq!(schema.column("orders", "body"), Some(ColumnType::Text));
    assert_eq!(schema.column("next", "a"), Some(ColumnType::Time));
}

#[test]
fn a_postgresql_and_an_sqlite_dump() {
    let schema = Schema::from_sql(
        "CREATE TYPE public.mood AS ENUM (\n    'sad',\n    'ok'\n);\n\n--\n-- Name: acls\n--\n\nCREATE TABLE public.acls (\n    id bigint NOT NULL,\n    key character varying(20) NOT NULL,\n    \"order\" integer,\n    feeling public.mood DEFAULT 'ok'::public.mood,\n    at timestamp without time zone,\n    token uuid,\n    data bytea,\n    tags character varying[] DEFAULT '{}'::character varying[],\n    CONSTRAINT c CHECK ((id > 0))\n);\nCREATE TABLE p PARTITION OF public.acls FOR VALUES IN ('a');\nCREATE TABLE IF NOT EXISTS \"notes\" (\"id\" integer PRIMARY KEY AUTOINCREMENT NOT NULL, \"title\" varchar, \"done\" boolean);\n",
    );
    assert_eq!(schema.tables["acls"].len(), 8);
    assert_eq!(schema.column("acls", "key"), Some(ColumnType::String));
    assert_eq!(schema.column("acls", "feeling"), Some(ColumnType::Enum));
    assert_eq!(schema.column("acls", "token"), Some(ColumnType::Uuid));
    assert_eq!(schema.column("acls", "data"), Some(ColumnType::Binary));
    assert_eq!(schema.column("acls", "tags"), Some(ColumnType::String));
    assert!(!schema.tables.contains_key("p"));
    assert_eq!(names(&schema, "notes"), ["done", "id", "title"]);
}

#[test]
fn broken_dumps_end() {
    for text in [
        "CREATE TABLE",
        "CREATE TABLE x (",
        "CREATE TABLE x (a 'b",
        "CREATE TYPE",
        "CREATE \n(",
        "CREATE TABLE é (é int\\",
    ] {
        let schema = Schema::from_sql(text);
        assert!(schema.tables.values().all(|columns| columns.len() < 2), "{text}");
    }
}

#[test]
fn migrations_one_after_the_other() {
    let schema = read(
        &[
            (
                "db/migrate/20100101000000_later.rb",
                "class Later < ActiveRecord::Migration
  def self.up
    add_column :issues, :done_ratio, :integer, :default => 0
    add_column Issue.table_name, 'token', :string
    rename_column :issues, :old, :new
    remove_column :issues, :gone, :string
    change_column :issues, :grown, :text
    %w(a b).each { |name| add_column :issues, name, :float }
    rename_table :wikis, :pages
    drop_table :trash
  end
  def self.down
    drop_table :issues
  end
end",
            ),
            (
                "db/migrate/001_setup.rb",
                "class Setup < ActiveRecord::Migration
  class User < ActiveRecord::Base; end
  def self.up
    create_table 'issues', :force => true do |t|
      t.column 'subject', :string, :limit => 30
      t.column :old, :date
      t.string :gone, :grown
    end
    create_table(:wikis) { |t| t.text :body }
    create_table(:trash) { |t| t.text :body }
  end
end",
            ),
            (
                "db/migrate/20200101000000_newer.rb",
                "class Newer < ActiveRecord::Migration[6.0]
  def change
    create_table :comments, id: :uuid do |t|
      t.references :owner, polymorphic: true
      t.belongs_to :issue, type: :uuid
      t.timestamps
    end
    change_table :pages do |t|
      t.rename :body, :content
      t.remove :none
      t.integer :lock_version
    end
    add_reference :issues, :parent
    create_join_table :issues, :tags
    reversible do |dir|
      dir.up { add_column :pages, :up, :boolean }
      dir.down { add_column :pages, :down, :boolean }
    end
  end
end",
            ),
        ],
        &[],
    );
    assert_eq!(
        names(&schema, "issues"),
        ["a", "b", "done_ratio", "grown", "id", "new", "parent_id", "subject", "token"]
    );
    assert_eq!(schema.column("issues", "new"), Some(ColumnType::Date));
    assert_eq!(schema.column("issues", "grown"), Some(ColumnType::Text));
    assert_eq!(schema.column("comments", "issue_id"), Some(ColumnType::Uuid));
    assert_eq!(
        names(&schema, "comments"),
        ["created_at", "id", "issue_id", "owner_id", "owner_type", "updated_at"]
    );
    assert_eq!(names(&schema, "pages"), ["content", "id", "lock_version", "up"]);
    assert_eq!(names(&schema, "issues_tags"), ["issue_id", "tag_id"]);
    assert!(!schema.tables.contains_key("trash") && !schema.tables.contains_key("wikis"));
}

#[test]
fn a_dump_wins_over_migrations_and_plugins_add_theirs() {
    let schema = read(
        &[
            ("db/migrate/001_x.rb", "class X < M; def change; create_table :extra; end; end"),
            ("plugins/p/db/migrate/001_y.rb", "class Y < M; def change; create_table :polls; end; end"),
        ],
        &[("db/structure.sql", "CREATE TABLE users (\n id int\n);")],
    );
    assert_eq!(schema.tables.keys().collect::<Vec<_>>(), ["polls", "users"]);
}

#[test]
fn plurals_and_singulars() {
    for (one, many) in [
        ("user", "users"),
        ("user_group", "user_groups"),
        ("person", "people"),
        ("salesperson", "salespeople"),
        ("status", "statuses"),
        ("alias", "aliases"),
        ("category", "categories"),
        ("day", "days"),
        ("address", "addresses"),
        ("box", "boxes"),
        ("branch", "branches"),
        ("dish", "dishes"),
        ("analysis", "analyses"),
        ("child", "children"),
        ("mouse", "mice"),
        ("man", "men"),
        ("datum", "data"),
        ("medium", "media"),
        ("index", "indices"),
        ("matrix", "matrices"),
        ("half", "halves"),
        ("wife", "wives"),
        ("knife", "knives"),
        ("hive", "hives"),
        ("archive", "archives"),
        ("database", "databases"),
        ("case", "cases"),
        ("response", "responses"),
        ("house", "houses"),
        ("purchase", "purchases"),
        ("bus", "buses"),
        ("quiz", "quizzes"),
        ("movie", "movies"),
        ("photo", "photos"),
        ("query", "queries"),
        ("issue", "issues"),
        ("series", "series"),
        ("species", "species"),
        ("information", "information"),
        ("process", "processes"),
        ("class", "classes"),
        ("key", "keys"),
        ("survey", "surveys"),
        ("time_entry", "time_entries"),
        ("image", "images"),
        ("size", "sizes"),
        ("lens", "lens"),
    ] {
        assert_eq!(plural(one), many);
        assert_eq!(plural(many), many, "plural stays");
        if one != "lens" {
            assert_eq!(singular(one), one, "singular stays");
            assert_eq!(singular(many), one);
        }
    }
}

#[test]
fn tables_of_classes() {
    assert_eq!(underscore("Admin::HTMLPage"), "admin/html_page");
    assert_eq!(underscore("OAuthToken2Thing"), "o_auth_token2_thing");
    assert_eq!(
        table_candidates("Admin::UserGroup"),
        ["admin_user_groups", "user_groups", "admin_user_group", "user_group"]
    );
    assert_eq!(table_candidates("Person")[0], "people");
    let mut schema = Schema::default();
    for table in ["user_groups", "oauth_tokens", "category"] {
        schema.tables.insert(table.to_owned(), BTreeMap::new());
    }
    assert_eq!(schema.table_for_class("Admin::UserGroup"), Some("user_groups"));
    assert_eq!(schema.table_for_class("OAuthToken"), Some("oauth_tokens"));
    assert_eq!(schema.table_for_class("Category"), Some("category"));
    assert_eq!(schema.table_for_class("Nothing"), None);
}
