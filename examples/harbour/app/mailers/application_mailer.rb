class ApplicationMailer < ActionMailer::Base
  default from: "office@harbour.example"
end
