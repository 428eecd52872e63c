//! The example application as it was on a day: what was not written yet is left out, what was mended
//! by then is mended.

use include_dir::{Dir, include_dir};
use wardroom_source::{Source, Tree, Wanted};

static HARBOUR: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples/harbour");

/// A change of one file on a day before the end.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// How many days before the end.
    pub days_ago: i64,
    /// The file.
    pub file: &'static str,
    /// What stood there.
    pub from: &'static str,
    /// What stands there from then on.
    pub to: &'static str,
}

/// Folders and files that came later, by the day before the end on which they did.
const CAME: [(i64, &str); 9] = [
    (70, "app/controllers/messages_controller.rb"),
    (70, "app/views/messages/"),
    (70, "app/channels/"),
    (56, "app/controllers/api/"),
    (56, "app/services/payment_gateway.rb"),
    (42, "app/services/manifest_"),
    (42, "app/services/gate_pass.rb"),
    (28, "app/controllers/documents_controller.rb"),
    (28, "app/services/document_fetcher.rb"),
];

/// What was mended, and once broken again.
pub const EDITS: [Edit; 27] = [
    Edit {
        days_ago: 81,
        file: "app/services/tariff_calculator.rb",
        from: "    eval(formula, binding)",
        to: "    at_rate(formula)",
    },
    Edit {
        days_ago: 80,
        file: "app/mailers/harbour_mailer.rb",
        from: "ERB.new(@booking.berth.welcome_text.to_s).result(binding)",
        to: "@booking.berth.welcome_text.to_s",
    },
    Edit {
        days_ago: 77,
        file: "app/controllers/bookings_controller.rb",
        from: "Marshal.load(Base64.decode64(cookies[:booking_draft])) : {}",
        to: "JSON.parse(cookies[:booking_draft], symbolize_names: true) : {}",
    },
    Edit {
        days_ago: 72,
        file: "app/controllers/admin/reports_controller.rb",
        from: "params[:id].camelize.constantize",
        to: "KINDS.fetch(params[:id])",
    },
    Edit {
        days_ago: 66,
        file: "app/controllers/admin/reports_controller.rb",
        from: "      render json: Booking.group(params[:by]).count\n",
        to: "      group = GROUPS.include?(params[:by]) ? params[:by] : \"status\"\n      render json: Booking.group(group).count\n",
    },
    Edit {
        days_ago: 63,
        file: "app/services/invoice_printer.rb",
        from: "system(\"wkhtmltopdf --title '#{@title}' http://localhost:3000/invoices/#{@invoice.id} #{target}\")",
        to: "system(\"wkhtmltopdf\", \"--title\", @title, \"http://localhost:3000/invoices/#{@invoice.id}\", target)",
    },
    Edit {
        days_ago: 60,
        file: "app/controllers/application_controller.rb",
        from: "redirect_to params[:return_to]",
        to: "redirect_to url_from(params[:return_to])",
    },
    Edit {
        days_ago: 57,
        file: "app/models/berth.rb",
        from: "where(\"features LIKE '%#{feature}%'\")",
        to: "where(\"features LIKE ?\", \"%#{sanitize_sql_like(feature)}%\")",
    },
    Edit {
        days_ago: 54,
        file: "app/channels/application_cable/connection.rb",
        from: "JWT.decode(request.params[:token], nil, false)",
        to: "JWT.decode(request.params[:token], Rails.application.secret_key_base, true, algorithm: \"HS256\")",
    },
    Edit {
        days_ago: 50,
        file: "app/services/berth_search.rb",
        from: "scope.where(\"name ILIKE '%#{@term}%'\")",
        to: "scope.where(\"name ILIKE ?\", \"%#{Berth.sanitize_sql_like(@term)}%\")",
    },
    Edit {
        days_ago: 48,
        file: "app/channels/berth_channel.rb",
        from: "where(\"pier = '#{data[\"pier\"]}'\")",
        to: "where(pier: data[\"pier\"])",
    },
    Edit {
        days_ago: 45,
        file: "app/controllers/vessels_controller.rb",
        from: "params.require(:vessel).permit!",
        to: "vessel_params",
    },
    Edit {
        days_ago: 40,
        file: "app/controllers/concerns/sortable.rb",
        from: "    column = params[:sort].presence || \"name\"\n",
        to: "    column = { \"length_m\" => \"length_m\" }.fetch(params[:sort], \"name\")\n",
    },
    Edit {
        days_ago: 38,
        file: "app/controllers/berths_controller.rb",
        from: "\"<h2>Pier #{params[:pier]}</h2>\".html_safe",
        to: "helpers.tag.h2(\"Pier #{params[:pier]}\")",
    },
    Edit {
        days_ago: 36,
        file: "app/controllers/bookings_controller.rb",
        from: "    @booking.public_send(params[:event])\n",
        to: "    @booking.update!(status: \"moved\") if params[:event] == \"move\"\n",
    },
    Edit {
        days_ago: 33,
        file: "app/views/layouts/application.html.erb",
        from: "<body class=<%= body_theme %>>",
        to: "<body class=\"<%= body_theme %>\">",
    },
    // A merge takes the old line back.
    Edit {
        days_ago: 31,
        file: "app/services/berth_search.rb",
        from: "scope.where(\"name ILIKE ?\", \"%#{Berth.sanitize_sql_like(@term)}%\")",
        to: "scope.where(\"name ILIKE '%#{@term}%'\")",
    },
    Edit {
        days_ago: 24,
        file: "app/services/berth_search.rb",
        from: "scope.where(\"name ILIKE '%#{@term}%'\")",
        to: "scope.where(\"name ILIKE ?\", \"%#{Berth.sanitize_sql_like(@term)}%\")",
    },
    Edit {
        days_ago: 22,
        file: "app/controllers/users_controller.rb",
        from: ":password_confirmation, :role)",
        to: ":password_confirmation)",
    },
    Edit {
        days_ago: 20,
        file: "app/controllers/sessions_controller.rb",
        from: "      session[:user_id] = user.id\n",
        to: "      reset_session\n      session[:user_id] = user.id\n",
    },
    Edit {
        days_ago: 17,
        file: "app/services/manifest_import.rb",
        from: "YAML.unsafe_load(@text)",
        to: "YAML.safe_load(@text)",
    },
    Edit {
        days_ago: 17,
        file: "app/services/manifest_import.rb",
        from: "Nokogiri::XML(@text) { |config| config.noent.dtdload }",
        to: "Nokogiri::XML(@text)",
    },
    Edit {
        days_ago: 14,
        file: "app/views/bookings/index.html.erb",
        from: "    pier: <%= @pier %>,\n",
        to: "",
    },
    Edit {
        days_ago: 11,
        file: "app/jobs/export_bookings_job.rb",
        from: "`tar -cf storage/exports/#{filename}.tar #{csv}.gz`",
        to: "system(\"tar\", \"-cf\", \"storage/exports/#{user.id}.tar\", \"#{csv}.gz\")",
    },
    Edit {
        days_ago: 8,
        file: "app/models/user.rb",
        from: "length: { minimum: 5 }",
        to: "length: { minimum: 12 }",
    },
    Edit {
        days_ago: 4,
        file: "app/controllers/bookings_controller.rb",
        from: "booking = Booking.find(params[:id])",
        to: "booking = current_user.bookings.find(params[:id])",
    },
    Edit {
        days_ago: 2,
        file: "config/environments/production.rb",
        from: "config.force_ssl = false",
        to: "config.force_ssl = true",
    },
];

/// The tree as it was on a day before the end.
pub fn on(days_ago: i64) -> Tree {
    let mut files = Vec::new();
    gather(&HARBOUR, &mut files);
    files.retain(|f: &Source| !CAME.iter().any(|(day, name)| *day < days_ago && f.path.starts_with(name)));
    for edit in EDITS.iter().filter(|e| e.days_ago >= days_ago) {
        for file in files.iter_mut().filter(|f| *f.path == *edit.file) {
            let text = String::from_utf8_lossy(&file.text).replacen(edit.from, edit.to, 1);
            file.text = text.into_bytes().into();
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Tree { files, skipped: 0, problems: Vec::new() }
}

/// The tree of a branch that somebody works on: what it adds is proposed until it arrives.
pub fn branch() -> Tree {
    let mut tree = on(0);
    let text = "class AuctionsController < ApplicationController
  def index
    @lots = Booking.where(\"status = 'auction' AND berth_id = #{params[:berth]}\")
    render json: @lots
  end
end
";
    tree.files
        .push(Source { path: "app/controllers/auctions_controller.rb".into(), text: text.as_bytes().into() });
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    tree
}

fn gather(dir: &Dir<'_>, files: &mut Vec<Source>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if wardroom_rails::wanted(&path) == Wanted::Yes {
            files.push(Source { path: path.into(), text: file.contents().into() });
        }
    }
    for sub in dir.dirs() {
        gather(sub, files);
    }
}

/// A commit's name: the same for the same text.
pub fn commit(days_ago: i64) -> String {
    blake3::hash(format!("harbour {days_ago}").as_bytes()).to_hex()[..40].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_finds_its_line() {
        for edit in &EDITS {
            let before = on(edit.days_ago + 1);
            let file = before.files.iter().find(|f| *f.path == *edit.file);
            let text = String::from_utf8_lossy(&file.unwrap_or_else(|| panic!("no {}", edit.file)).text)
                .into_owned();
            assert!(text.contains(edit.from), "{}: {}", edit.file, edit.from);
        }
    }
}
