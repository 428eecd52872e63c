Rails.application.routes.draw do
  root "berths#index"

  get "login", to: "sessions#new"
  post "login", to: "sessions#create"
  delete "logout", to: "sessions#destroy"

  resources :users, only: :create
  resource :profile, only: :update, controller: "users"
  resources :password_resets, only: %i[create update], param: :token

  resources :berths, only: %i[index show] do
    get :legend, on: :collection
    get :tides, on: :member
    get :print, on: :member
  end

  resources :bookings, only: %i[index show new create update] do
    post :export, on: :collection
    member do
      get :receipt
      get :cancel
      post :confirm
      post :transition
    end
  end

  resources :vessels, only: %i[show create update] do
    resources :documents, only: %i[index create] do
      post :scan, on: :collection
    end
  end

  resources :documents, only: :show do
    collection do
      get :form
      post :fetch
      post :unpack
    end
  end

  resources :invoices, only: %i[index show update] do
    post :print, on: :member
    post :label, on: :member
  end

  resources :messages, only: %i[index create destroy] do
    get :search, on: :collection
    post :archive, on: :member
  end

  namespace :admin do
    resources :users, only: %i[index update destroy]
    resources :tariffs, only: %i[index update] do
      post :preview, on: :collection
    end
    resources :reports, only: %i[index show] do
      get :occupancy, on: :collection
      get :income, on: :collection
    end
  end

  namespace :api, defaults: { format: :json } do
    resources :berths, only: %i[index show create destroy]
    resources :bookings, only: %i[index update] do
      post :manifest, on: :collection
    end
    post "payments", to: "payments#create"
    post "refunds", to: "payments#refund"
  end
end
