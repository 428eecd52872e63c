//! A small application in a folder of its own, and the command run over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// 2026-11-23, so that reports and expiry dates are repeatable.
pub const TODAY: &str = "1795392000";

/// An application, and a cache that nobody else uses.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What a run gave.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Project {
    pub fn empty() -> Project {
        let project = Project { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(project.root()).expect("a folder");
        project
    }

    /// One sure weakness, one that is worth a look, and safe code beside them.
    pub fn rails() -> Project {
        let project = Project::empty();
        project.write("Gemfile", "source 'https://rubygems.org'\ngem 'rails'\n");
        project.write(
            "Gemfile.lock",
            "GEM\n  remote: https://rubygems.org/\n  specs:\n    rails (7.1.3)\n\nDEPENDENCIES\n  rails\n",
        );
        project.write("config/routes.rb", "Rails.application.routes.draw do\n  resources :users, only: %i[index show create]\n  get 'admin' => 'admin#index'\nend\n");
        project.write("app/models/user.rb", "class User < ApplicationRecord\nend\n");
        project.write(
            "app/controllers/application_controller.rb",
            "class ApplicationController < ActionController::Base\nend\n",
        );
        project.write(
            "app/controllers/admin_controller.rb",
            "class AdminController < ApplicationController\n  before_action :authenticate_user!\n\n  def index\n  end\nend\n",
        );
        project.write(USERS, UNSAFE);
        project
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// A place beside the application.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).expect("a file")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
        command.args(arguments).current_dir(self.root());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).env("SOURCE_DATE_EPOCH", TODAY).env("LANG", "C.UTF-8");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the command runs"))
    }

    /// A scan as JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let run = self.run(&[&["scan", "--format", "json"], arguments].concat());
        serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {}{}", run.out, run.err))
    }

    /// Findings that count, as `file:line rule`.
    pub fn found(&self, arguments: &[&str]) -> Vec<String> {
        active(&self.json(arguments))
    }

    pub fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.org",
                "-c",
                "commit.gpgsign=false",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .current_dir(self.root())
            .output()
            .expect("git runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// The file with the weaknesses.
pub const USERS: &str = "app/controllers/users_controller.rb";
/// What is in it.
pub const UNSAFE: &str = "class UsersController < ApplicationController
  def index
    @users = User.where(\"name = '#{params[:name]}'\")
    @safe = User.where(name: params[:name])
  end
end
";

impl Run {
    pub fn of(output: Output) -> Run {
        Run {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

pub fn active(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter(|f| f["suppression"].is_null()).map(place).collect()
}

/// Suppressed findings, as `kind reason`.
pub fn suppressed(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let told = |f: &serde_json::Value| {
        let s = f.get("suppression").filter(|s| !s.is_null())?;
        Some(format!("{} {}", s["kind"].as_str()?, s["reason"].as_str()?))
    };
    findings.iter().filter_map(told).collect()
}

pub fn place(finding: &serde_json::Value) -> String {
    let at = &finding["location"];
    format!(
        "{}:{} {}",
        at["file"].as_str().expect("a file"),
        at["start"]["line"],
        finding["rule"].as_str().expect("a rule")
    )
}

/// Names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
