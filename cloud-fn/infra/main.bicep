// The cloud of Dachawatch in one resource group. Two deployments: this one, then (when the functions package is there)
// events.bicep, because Event Grid subscribes only a function that exists. Who may do what: roles.md.
targetScope = 'resourceGroup'

@description('Begins the names of all resources.')
@minLength(3)
@maxLength(11)
param name string = 'dacha'

param location string = resourceGroup().location

@description('What starts the YOLO worker: a Container Apps job that watches the queue, a container group that the app starts, or a virtual machine scale set of one.')
@allowed(['job', 'group', 'machine'])
param worker string = 'job'

@description('Image of the worker, with its digest, in the registry that is made here or elsewhere.')
param workerImage string

@description('Only for the variant "machine": size of the virtual machine.')
param machineSize string = 'Standard_D2as_v5'

@description('Only for the variant "machine": public key for SSH, which no rule of the network lets in.')
param machinePublicKey string = ''

@description('Only for the variant "machine": name of its operator.')
param machineOperator string = 'dachawatch'

@description('Version of Node.js of the functions app: the newest that Flex Consumption offers.')
param nodeVersion string = '22'

@description('Where notifications go; empty: nowhere but the queue.')
@secure()
param notifyWebhook string = ''

@description('Days until clips move to cheaper storage, and until they are removed.')
param coolAfterDays int = 14
param removeAfterDays int = 365

@description('Most money a month, in the currency of the subscription, before somebody is told.')
param monthlyBudget int = 20

@description('Who is told of the budget and of alerts.')
param contactEmail string

@description('First day of the budget: the first of a month. Azure does not let it be changed later.')
param budgetStart string = '${utcNow('yyyy-MM')}-01'

@description('IoT Hub: F1 (free, one a subscription), S1.')
@allowed(['F1', 'S1'])
param hubSku string = 'S1'

var unique = toLower('${name}${take(uniqueString(resourceGroup().id), 10)}')

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: { name: name, location: location }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: unique
    location: location
    coolAfterDays: coolAfterDays
    removeAfterDays: removeAfterDays
  }
}

module hub 'modules/hub.bicep' = {
  name: 'hub'
  params: {
    name: '${name}-hub-${take(uniqueString(resourceGroup().id), 6)}'
    location: location
    sku: hubSku
    storageName: storage.outputs.clipsName
    containerName: storage.outputs.clipsContainer
  }
}

module watch 'modules/watch.bicep' = {
  name: 'watch'
  params: {
    name: name
    location: location
    contactEmail: contactEmail
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
    hubName: hub.outputs.name
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: { name: unique, location: location, workerPrincipalId: identities.outputs.workerPrincipalId }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: take('${name}-${uniqueString(resourceGroup().id)}', 24)
    location: location
    appPrincipalId: identities.outputs.appPrincipalId
    notifyWebhook: notifyWebhook
  }
}

module workerJob 'modules/worker-job.bicep' = if (worker == 'job') {
  name: 'worker-job'
  params: {
    name: name
    location: location
    image: workerImage
    registryServer: registry.outputs.server
    identityId: identities.outputs.workerId
    identityClientId: identities.outputs.workerClientId
    clipsName: storage.outputs.clipsName
    workspaceName: watch.outputs.workspaceName
  }
}

module workerGroup 'modules/worker-group.bicep' = if (worker == 'group') {
  name: 'worker-group'
  params: {
    name: name
    location: location
    image: workerImage
    registryServer: registry.outputs.server
    identityId: identities.outputs.workerId
    identityClientId: identities.outputs.workerClientId
    clipsName: storage.outputs.clipsName
    appPrincipalId: identities.outputs.appPrincipalId
  }
}

module workerMachine 'modules/worker-machine.bicep' = if (worker == 'machine') {
  name: 'worker-machine'
  params: {
    name: name
    location: location
    image: workerImage
    registryServer: registry.outputs.server
    identityId: identities.outputs.workerId
    identityClientId: identities.outputs.workerClientId
    clipsName: storage.outputs.clipsName
    size: machineSize
    publicKey: machinePublicKey
    operator: machineOperator
  }
}

module functions 'modules/functions.bicep' = {
  name: 'functions'
  params: {
    name: '${name}-fn-${take(uniqueString(resourceGroup().id), 6)}'
    location: location
    nodeVersion: nodeVersion
    identityId: identities.outputs.appId
    identityClientId: identities.outputs.appClientId
    hostStorageName: storage.outputs.hostName
    clipsName: storage.outputs.clipsName
    hubHostName: hub.outputs.hostName
    insightsName: watch.outputs.insightsName
    webhookSecretUri: empty(notifyWebhook) ? '' : vault.outputs.webhookSecretUri
    computeKind: worker == 'group' ? 'container-instances' : 'none'
    computeResource: worker == 'group' ? workerGroup!.outputs.groupId : ''
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    clipsName: storage.outputs.clipsName
    hostStorageName: storage.outputs.hostName
    hubName: hub.outputs.name
    appPrincipalId: identities.outputs.appPrincipalId
    workerPrincipalId: identities.outputs.workerPrincipalId
    hubPrincipalId: hub.outputs.principalId
    insightsName: watch.outputs.insightsName
  }
}

output functionsName string = functions.outputs.name
output hubHostName string = hub.outputs.hostName
output registryServer string = registry.outputs.server
output clipsName string = storage.outputs.clipsName
